import {
  type Choice,
  type Device,
  openDevice,
  type ParamValues,
  type Tensor,
  UserError,
} from '@hrm-webgpu/core';
import type { KernelCheck } from '@hrm-webgpu/kernels';
import { observeOperations, type Use } from '@hrm-webgpu/kernels/operation';
import { type Tuned, tune as tuneUse } from '@hrm-webgpu/kernels/tuner';
import { noExploration, trainingCall } from '../act.ts';
import { Carry, emptyBatch } from '../carry.ts';
import { type AllConfig, DEFAULT_ARCH, DEFAULT_TRAIN } from '../config.ts';
import { Inference } from '../inference.ts';
import { HrmModel } from '../model.ts';
import { adapterName } from '../tuning.ts';
import { loadTuning, saveTuning, tuningPlace } from '../tuning-store.node.ts';
import { type Command, parse, wholeNumber } from './command.ts';
import { bold, dim, print, say } from './terminal.ts';
import { applySettings, readAllConfig } from './train-config.ts';

export const tune: Command = {
  summary: 'find the fastest kernels for this adapter and a model, and remember them',
  help: `usage: hrm tune [--config FILE] [--set KEY=VALUE] [--batch N] [--seq-len N] [--vocab N] [--again]

Times the ways to do every matrix product, attention and normalisation that training and running a model of this shape
needs, and keeps the fastest in the user's cache folder, where train, eval and solve find them. Every way is checked
before it is timed. Without it each adapter has good defaults. Keep the machine otherwise idle meanwhile.

  --config FILE     an all_config.yaml with the published keys; without it the published defaults
  --set KEY=VALUE   overrides one published key, e.g. --set arch.hidden_size=256 (repeatable)
  --batch N         rows of a batch; default 8
  --seq-len N       tokens of a puzzle; default 81
  --vocab N         kinds of tokens; default 11
  --again           also what has been tuned before`,

  async run(args) {
    const { values, positionals } = parse(args, {
      config: { type: 'string' },
      set: { type: 'string', multiple: true },
      batch: { type: 'string', default: '8' },
      'seq-len': { type: 'string', default: '81' },
      vocab: { type: 'string', default: '11' },
      again: { type: 'boolean', default: false },
    });
    if (positionals.length > 0) throw new UserError(`unexpected argument '${positionals[0]}'. See --help.`);
    const base = values.config
      ? await readAllConfig(values.config)
      : { arch: DEFAULT_ARCH, train: DEFAULT_TRAIN };
    const config = applySettings(base, values.set ?? []);
    const size = {
      batch: wholeNumber('batch', values.batch) as number,
      seq_len: wholeNumber('seq-len', values['seq-len']) as number,
      vocab_size: wholeNumber('vocab', values.vocab) as number,
    };
    const device = await openDevice();
    try {
      if (!values.again) await loadTuning(device);
      say(`adapter: ${adapterName(device)}`);
      const uses = await usesOf(device, config, size);
      await tuneAll(device, uses);
      say(`kept in ${tuningPlace(device)}`);
      return 0;
    } finally {
      device.close();
    }
  },
};

interface Size {
  batch: number;
  seq_len: number;
  vocab_size: number;
}

/** The operations, with their shapes, of a training call and an evaluation; recorded, not run. */
async function usesOf(
  device: Device,
  { arch }: AllConfig,
  { batch, ...size }: Size,
): Promise<Map<string, Use>> {
  const config = { ...arch, ...size, num_puzzle_identifiers: 1 };
  const model = await HrmModel.initialize(device, config, 0);
  const carry = Carry.fresh(model, batch);
  const incoming = emptyBatch(model, batch);
  const draws = noExploration(carry);
  try {
    return observeOperations(device, () => {
      device.record(() => [...trainingCall(carry, incoming, draws, batch).gradients.values()]).dispose();
      new Inference(model, batch).dispose();
      if (batch !== 1) new Inference(model, 1).dispose();
    });
  } finally {
    for (const tensor of [...Object.values(incoming), draws.uniform, draws.minSteps] as Tensor[])
      tensor.dispose();
    carry.dispose();
    model.dispose();
  }
}

/** Tunes what has not been tuned, and keeps every result at once: an interruption costs the one at hand. */
async function tuneAll(device: Device, uses: ReadonlyMap<string, Use>): Promise<void> {
  const checkOf = async (kernel: string): Promise<KernelCheck<ParamValues>> =>
    (await import(`@hrm-webgpu/kernels/defs/${kernel}`)).check;
  const todo = [...uses].filter(([key]) => !device.tuning.has(key));
  if (todo.length < uses.size) say(`${uses.size - todo.length} of ${uses.size} have been tuned before`);
  for (const [i, [key, use]] of todo.entries()) {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[2K${dim(`${i + 1}/${todo.length}  ${key}`)}`);
    const result = await tuneUse(device, use, checkOf);
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[2K');
    print(formatTuned(result));
    device.tuning.set(key, result.choice);
    await saveTuning(device);
    device.trim();
  }
}

function formatTuned({ key, choice, standardMs, ms, tried, rejected }: Tuned): string {
  const gain = standardMs / ms;
  const rate = `${standardMs.toFixed(2)} → ${ms.toFixed(2)} ms`;
  const left = rejected.length > 0 ? `, ${rejected.length} rejected` : '';
  const outcome = gain > 1 ? bold(formatChoice(choice)) : 'as it was';
  return `${key}\n    ${rate}   ${outcome}   ${dim(`(${tried} others tried${left})`)}`;
}

function formatChoice({ kernel, settings }: Choice): string {
  return [kernel, ...Object.entries(settings).map(([name, value]) => `${name}=${value}`)].join(' ');
}
