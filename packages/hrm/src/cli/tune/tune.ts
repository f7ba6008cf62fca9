import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { adapterName, type Device, UserError } from '@hrm-webgpu/core';
import type { Use } from '@hrm-webgpu/kernels/operation';
import { readSplit } from '../../data/dataset/dataset.node.ts';
import { countExamples } from '../../evaluation/evaluate.ts';
import type { ModelConfig } from '../../model/config.ts';
import { initializeModel } from '../../model/init.ts';
import { checkMemory, evaluationRows } from '../../training/memory.ts';
import { partRows } from '../../training/micro-batches.ts';
import { tuneOperations } from '../../tuning/tune-operations.ts';
import { loadTuning, saveTuning, tuningPlace } from '../../tuning/tuning-store.node.ts';
import { operationsOf } from '../../tuning/tuning-uses.ts';
import { type Command, parse, wholeNumber } from '../command.ts';
import { Interrupt } from '../interrupt.ts';
import { openGivenDevice } from '../open-device.ts';
import { duration, ProgressBar, print, say } from '../terminal.ts';
import { configFrom } from '../train/train-config.ts';
import { effortOf } from './effort.ts';
import { formatTuned } from './format-tuned.ts';

const OPTIONS = {
  preset: { type: 'string' },
  config: { type: 'string' },
  set: { type: 'string', multiple: true },
  data: { type: 'string' },
  'eval-split': { type: 'string' },
  'eval-sample': { type: 'string' },
  'seq-len': { type: 'string' },
  vocab: { type: 'string' },
  batch: { type: 'string' },
  'micro-batch': { type: 'string' },
  shaders: { type: 'string' },
  again: { type: 'boolean', default: false },
} as const;

export const tune: Command = {
  summary: 'find the fastest kernels for this adapter and a model, and remember them',
  help: `usage: hrm tune [--preset NAME] [--config FILE] [--set KEY=VALUE] [--data DIR | --seq-len N --vocab N] [options]

Times the ways to do every matrix product, attention and normalisation that 'hrm train', 'hrm eval' and 'hrm solve' need
with the same model, data and batch, and keeps the fastest in the user's cache folder, where these commands find them.
Every way is checked before it is timed. Without it each adapter has good defaults. Keep the machine otherwise idle
meanwhile; Ctrl-C stops at once, and what has been found by then is kept.

  --preset NAME     a published recipe, as for 'hrm train'; without it the published defaults
  --config FILE     an all_config.yaml with the published keys, which override the preset
  --set KEY=VALUE   overrides one published key, e.g. --set arch.hidden_size=256 (repeatable)
  --data DIR        the dataset, for its sizes
  --eval-split NAME the split to evaluate on; default 'test'
  --eval-sample N   as for 'hrm train', where a sample is evaluated
  --seq-len N       without --data: tokens of a puzzle; default 81
  --vocab N         without --data: kinds of tokens; default 11
  --batch N         rows of a training batch; default global_batch_size
  --micro-batch N   the batch is worked through N rows at a time, as for 'hrm train'
  --shaders DIR     kernels from the .wgsl files of a folder instead of our own
  --again           also what has been tuned before`,

  async run(args) {
    const { values, positionals } = parse(args, OPTIONS);
    if (positionals.length > 0) throw new UserError(`unexpected argument '${positionals[0]}'. See --help.`);
    const { arch, train } = await configFrom(values);
    const batch = wholeNumber('batch', values.batch) ?? train.global_batch_size;
    const rows = partRows(batch, wholeNumber('micro-batch', values['micro-batch']));
    const { examples, ...sizes } = await sizesOf(values);
    const config = { ...arch, ...sizes };
    const device = await openGivenDevice(values);
    try {
      const evaluated = evaluationRows(config, device.limits, examples);
      checkMemory(config, { batch, rows, evaluated }, device.limits);
      if (!values.again) await loadTuning(device);
      say(`adapter: ${adapterName(device)}`);
      say(
        `for training calls of ${rows} rows, evaluation of ${evaluated} and solving of 1; ` +
          `seq_len ${config.seq_len}, vocab_size ${config.vocab_size}`,
      );
      const uses = await usesOf(device, config, rows, [evaluated, 1]);
      await tuneAll(device, uses);
      say(`kept in ${tuningPlace(device)}`);
      return 0;
    } finally {
      device.close();
    }
  },
};

type Values = ReturnType<typeof parse<typeof OPTIONS>>['values'];

/** What the shapes depend on besides model and batch. */
interface Sizes extends Pick<ModelConfig, 'seq_len' | 'vocab_size' | 'num_puzzle_identifiers'> {
  /** Those of an evaluation. */
  examples: number;
}

/** @throws UserError for a dataset that cannot be read, or sizes beside one */
async function sizesOf(values: Values): Promise<Sizes> {
  const { data } = values;
  const seqLen = wholeNumber('seq-len', values['seq-len']);
  const vocab = wholeNumber('vocab', values.vocab);
  const sample = wholeNumber('eval-sample', values['eval-sample']) ?? Number.POSITIVE_INFINITY;
  // The table of puzzle rows is no tunable operation's business, and may be large.
  const num_puzzle_identifiers = 1;
  if (data === undefined) {
    if (values['eval-split'] !== undefined)
      throw new UserError('--eval-split is one of a dataset: give --data DIR');
    return { seq_len: seqLen ?? 81, vocab_size: vocab ?? 11, num_puzzle_identifiers, examples: sample };
  }
  if (seqLen !== undefined || vocab !== undefined)
    throw new UserError(
      '--seq-len and --vocab are for doing without --data, which tells both: leave them out',
    );
  // Where there is nothing to evaluate on, 'hrm eval --split train' still is possible.
  const name = values['eval-split'] ?? (existsSync(join(data, 'test')) ? 'test' : 'train');
  const split = await readSplit(data, name);
  split.close();
  const { seq_len, vocab_size } = split.metadata;
  return { seq_len, vocab_size, num_puzzle_identifiers, examples: Math.min(countExamples(split), sample) };
}

/** The operations of a model whose weights do not matter. */
async function usesOf(
  device: Device,
  config: ModelConfig,
  training: number,
  inference: readonly number[],
): Promise<Map<string, Use>> {
  const model = await initializeModel(device, config, 0);
  try {
    return operationsOf(model, { training, inference });
  } finally {
    model.dispose();
    device.trim();
  }
}

/** Tunes what has not been tuned, and keeps every result at once: an interruption costs the one at hand. */
async function tuneAll(device: Device, uses: ReadonlyMap<string, Use>): Promise<void> {
  const todo = [...uses]
    .filter(([key]) => !device.tuning.has(key))
    .map(([key, use]) => ({ key, use, ...effortOf(device, use) }));
  if (todo.length < uses.size) say(`${uses.size - todo.length} of ${uses.size} have been tuned before`);
  const ways = todo.reduce((sum, effort) => sum + effort.ways, 0);
  const estimate = secondsOf(todo);
  if (todo.length > 0)
    say(`${todo.length} operations, up to ${ways} ways to do them: very roughly ${duration(estimate)}`);
  const bar = new ProgressBar('tune');
  const started = performance.now();
  const show = (i: number) => {
    if (i === todo.length) return;
    const rest = secondsOf(todo.slice(i));
    const pace = i === 0 ? 1 : (performance.now() - started) / 1000 / (estimate - rest);
    bar.update(i, todo.length, `about ${duration(rest * pace)} left   ${todo[i].key}`);
  };
  let done = 0;
  show(done);
  for await (const result of tuneOperations(
    device,
    todo.map(({ use }) => use),
  )) {
    bar.clear();
    print(formatTuned(result));
    await uninterrupted(() => saveTuning(device));
    show(++done);
  }
}

function secondsOf(efforts: readonly { seconds: number }[]): number {
  return efforts.reduce((sum, { seconds }) => sum + seconds, 0);
}

/** Puts Ctrl-C off until `body` is done; nothing else that tuning does would leave anything half-done. */
async function uninterrupted(body: () => Promise<void>): Promise<void> {
  const interrupt = new Interrupt();
  try {
    await body();
  } finally {
    interrupt.stop();
  }
  if (interrupt.exitCode !== undefined) process.exit(interrupt.exitCode);
}
