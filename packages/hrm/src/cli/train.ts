import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Device, openDevice, type Philox, UserError } from '@hrm-webgpu/core';
import { adapterName, loadTraining, readMetadata, tuningRecord } from '../checkpoint.ts';
import {
  type AllConfig,
  checkArch,
  checkTrain,
  DEFAULT_ARCH,
  DEFAULT_TRAIN,
  overlay,
  parseAllConfig,
} from '../config.ts';
import { relabelDigits } from '../data/augment.ts';
import { readSplit } from '../data/dataset.node.ts';
import type { DatasetMetadata, Split } from '../data/dataset.ts';
import { type Batch, totalSteps } from '../data/sampler.ts';
import { fileSource, readTextFile } from '../formats/file-source.node.ts';
import { openTensorFile } from '../formats/open-checkpoint.ts';
import { parseYaml } from '../formats/yaml.ts';
import { type Augmentation, Trainer } from '../trainer.ts';
import { type Command, parse, wholeNumber } from './command.ts';
import { profileTraining } from './profile.ts';
import { latestCheckpoint, newRunFolder, type RunNotes, type RunResult, runTraining } from './run.ts';
import { duration, print, say } from './terminal.ts';

const help = `usage: hrm train --data DIR --out DIR [options]
       hrm train --data DIR --profile [options]
       hrm train --out DIR --resume

Trains a model on a dataset in the published format (DIR/train/dataset.json, …), evaluates it on a held-out split
as it goes and keeps the best weights. Ctrl-C stops after the current step and saves; --resume goes on with the
same bits.

  --data DIR           the dataset
  --out DIR            where checkpoints go (checkpoint.safetensors, best.safetensors, all_config.yaml)
  --config FILE        an all_config.yaml with the published keys; without it the published defaults
  --set KEY=VALUE      overrides one published key, e.g. --set lr=1e-3 --set arch.L_cycles=8 (repeatable)
  --steps N            length of the run; default from epochs, as published
  --eval-split NAME    split to evaluate on; default 'test'
  --eval-every N       steps between evaluations and checkpoints; default from eval_interval, as published
  --augment sudoku-digits   a random relabelling of the digits in every row of every batch
  --profile            time each kernel over a few steps, print the table and save nothing
  --resume             go on from DIR/checkpoint.safetensors`;

export const train: Command = {
  summary: 'train a model on a dataset',
  help,
  async run(args) {
    const { values, positionals } = parse(args, {
      data: { type: 'string' },
      out: { type: 'string' },
      config: { type: 'string' },
      set: { type: 'string', multiple: true },
      steps: { type: 'string' },
      'eval-split': { type: 'string' },
      'eval-every': { type: 'string' },
      augment: { type: 'string' },
      profile: { type: 'boolean' },
      resume: { type: 'boolean' },
    });
    if (positionals.length > 0) throw new UserError(`unexpected argument '${positionals[0]}'. See --help.`);
    if (!values.out && !values.profile) throw new UserError('give the folder of the run with --out DIR');
    const out = values.out ?? '';
    if (values.resume) {
      const other = Object.keys(values).find((name) => !['out', 'resume'].includes(name));
      if (other)
        throw new UserError(`--${other} cannot be given with --resume: a run goes on as it was started`);
      return finishRun(await resumeRun(out), out);
    }
    if (!values.data) throw new UserError('give the dataset with --data DIR');
    const config = values.config
      ? await readAllConfig(values.config)
      : { arch: DEFAULT_ARCH, train: DEFAULT_TRAIN };
    const options = {
      data: values.data,
      out,
      config: applySettings(config, values.set ?? []),
      steps: wholeNumber('steps', values.steps),
      evalSplit: values['eval-split'],
      evalEvery: wholeNumber('eval-every', values['eval-every']),
      augment: values.augment ?? null,
    };
    if (values.profile) return profileRun(options);
    return finishRun(await startRun(options), out);
  },
};

export interface StartOptions {
  data: string;
  out: string;
  config: AllConfig;
  steps?: number;
  evalSplit?: string;
  evalEvery?: number;
  augment: string | null;
}

/** Starts a run from fresh weights and trains it to its end. */
export async function startRun(options: StartOptions): Promise<RunResult> {
  const split = await readSplit(options.data, 'train');
  const evalName = options.evalSplit ?? (existsSync(join(options.data, 'test')) ? 'test' : null);
  const evalSplit = evalName ? await readSplit(options.data, evalName) : undefined;
  newRunFolder(options.out);
  return withFreshTrainer(options, split, (trainer) => {
    const { eval_interval, global_batch_size } = options.config.train;
    const { metadata } = split;
    const notes: RunNotes = {
      data: resolve(options.data),
      dataset: fingerprint(split),
      evalSplit: evalName,
      evalEvery: options.evalEvery ?? Math.max(1, totalSteps(metadata, eval_interval, global_batch_size)),
      augment: options.augment,
      bestExact: -1,
      evaluatedStep: 0,
    };
    return runTraining({ trainer, folder: options.out, notes, evalSplit });
  });
}

/** Prints where the time of a run's first steps goes. */
async function profileRun(options: StartOptions): Promise<number> {
  await withFreshTrainer(options, await readSplit(options.data, 'train'), profileTraining);
  return 0;
}

async function withFreshTrainer<T>(
  options: StartOptions,
  split: Split,
  body: (trainer: Trainer) => Promise<T>,
): Promise<T> {
  const { config, augment } = options;
  const { metadata } = split;
  const { epochs, eval_interval, global_batch_size } = config.train;
  if (options.steps === undefined && epochs % eval_interval !== 0) {
    throw new UserError(`eval_interval (${eval_interval}) must divide epochs (${epochs})`);
  }
  const steps = options.steps ?? totalSteps(metadata, epochs, global_batch_size);
  if (steps < 1)
    throw new UserError(`this run would have no steps: ${epochs} epochs of a dataset smaller than a batch`);
  const device = await openDevice();
  try {
    const { vocab_size, seq_len, num_puzzle_identifiers } = metadata;
    const trainer = await Trainer.start(device, {
      config: { ...config.arch, vocab_size, seq_len, num_puzzle_identifiers },
      train: config.train,
      split,
      totalSteps: steps,
      augment: augmentationOf(augment, metadata),
    });
    announce(device, trainer);
    return await body(trainer);
  } finally {
    device.close();
  }
}

async function resumeRun(out: string): Promise<RunResult> {
  const path = latestCheckpoint(out);
  const file = await openTensorFile(await fileSource(path));
  const device = await openDevice();
  try {
    const metadata = readMetadata(file);
    if (!metadata) throw new UserError(`${path} is not a checkpoint of this program: it cannot be resumed`);
    const { training, ...parts } = await loadTraining(device, file, metadata);
    const notes = training.notes as unknown as RunNotes;
    const split = await readSplit(notes.data, 'train');
    if (fingerprint(split) !== notes.dataset) {
      throw new UserError(`${notes.data} is not the dataset that this run was started on; put that one back`);
    }
    const evalSplit = notes.evalSplit ? await readSplit(notes.data, notes.evalSplit) : undefined;
    if (JSON.stringify(training.tuning) !== JSON.stringify(tuningRecord(device))) {
      say(
        `note: this run was on '${training.tuning.adapter}'; on another adapter its bits differ from here on`,
      );
    }
    const options = {
      config: metadata.config,
      train: training.train,
      split,
      totalSteps: training.progress.totalSteps,
      augment: augmentationOf(notes.augment, split.metadata),
    };
    const trainer = Trainer.resume(options, parts, training.progress);
    announce(device, trainer);
    return await runTraining({ trainer, folder: out, notes, evalSplit });
  } finally {
    await file.close();
    device.close();
  }
}

function finishRun({ interrupted, seconds }: RunResult, out: string): number {
  if (interrupted) {
    print(`stopped and saved after ${duration(seconds)}; go on with: hrm train --out ${out} --resume`);
    return 130;
  }
  print(`trained for ${duration(seconds)}; saved in ${out}`);
  return 0;
}

function announce(device: Device, { model, options, step }: Trainer): void {
  const parameters = model.trained.reduce((sum, [, { size }]) => sum + size, 0);
  say(`adapter: ${adapterName(device)}`);
  say(
    `model: ${(parameters / 1e6).toFixed(2)} M parameters, T = ${model.positions}, M = ${model.config.halt_max_steps}; ` +
      `steps ${step + 1} to ${options.totalSteps}, batch ${options.train.global_batch_size}`,
  );
}

/** Metadata and a checksum of the examples: enough to notice that a dataset was exchanged. */
function fingerprint({ metadata, sets }: Split): string {
  let sum = 0;
  for (const { inputs, labels } of sets.values()) {
    for (const tokens of [inputs, labels]) {
      for (let i = 0; i < tokens.length; i++) sum = (Math.imul(sum, 31) + tokens[i]) | 0;
    }
  }
  return `${JSON.stringify(metadata)} ${sum >>> 0}`;
}

const SUDOKU_DIGITS = 'sudoku-digits';

/** The augmentation with that name. */
function augmentationOf(
  name: string | null,
  { vocab_size, seq_len }: DatasetMetadata,
): Augmentation | undefined {
  if (name === null) return undefined;
  if (name !== SUDOKU_DIGITS) throw new UserError(`--augment ${name}: unknown; there is ${SUDOKU_DIGITS}`);
  const options = { firstDigitToken: 2, digits: vocab_size - 2, seqLen: seq_len };
  return (batch: Batch, random: Philox) => relabelDigits(batch, random, options);
}

async function readAllConfig(path: string): Promise<AllConfig> {
  return parseAllConfig(parseYaml(await readTextFile(path), path), path);
}

/** Applies `key=value` settings with published keys. */
export function applySettings({ arch, train }: AllConfig, settings: readonly string[]): AllConfig {
  const archValues: Record<string, unknown> = {};
  const trainValues: Record<string, unknown> = {};
  for (const setting of settings) {
    const [, key, text] = setting.match(/^([^=]+)=(.*)$/) ?? [];
    if (key === undefined) throw new UserError(`--set ${setting}: expected KEY=VALUE`);
    const value = parseYaml(`value: ${text}`, `--set ${setting}`) as { value: unknown };
    if (key.startsWith('arch.')) archValues[key.replace(/^arch\.(loss\.)?/, '')] = value.value;
    else trainValues[key] = value.value;
  }
  return {
    arch: checkArch(overlay(arch, archValues, '--set arch.'), '--set'),
    train: checkTrain(overlay(train, trainValues, '--set '), '--set'),
  };
}
