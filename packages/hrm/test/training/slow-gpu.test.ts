/**
 * Steps of the published model at its published batch on GPUs that take their time: what reaches the GPU, submit by
 * submit. Nothing is computed, and no memory used: dispatches of the fake GPU take as long as its rates say.
 */
import { type Device, type ParamValues, wrapDevice } from '@hrm-webgpu/core';
import type { KernelCheck } from '@hrm-webgpu/kernels';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { resumeTime, settled, stopTime } from '../../../core/test/fake-clock.ts';
import { type FakeDispatch, FakeGpu, type FakeSubmit } from '../../../core/test/fake-gpu.ts';
import type { Split } from '../../src/data/dataset/dataset.ts';
import { tokenRows } from '../../src/data/dataset/token-rows.ts';
import { DEFAULT_ARCH, DEFAULT_TRAIN } from '../../src/model/config.ts';
import { HrmModel } from '../../src/model/model.ts';
import { parameterShapes } from '../../src/model/parameters.ts';
import { freshCarries } from '../../src/training/micro-batches.ts';
import { Optimizers } from '../../src/training/optimizers.ts';
import { Trainer } from '../../src/training/trainer.ts';

// A GPU that computes nothing computes every kernel wrongly.
vi.mock('../../src/tuning/verify.ts', () => ({ verifyKernels: async () => {} }));

const BATCH = 384;
const STEPS = 3;
const config = { ...DEFAULT_ARCH, vocab_size: 11, seq_len: 81, num_puzzle_identifiers: 1 };
const train = { ...DEFAULT_TRAIN, global_batch_size: BATCH };

interface Rates {
  /** FLOPs and bytes a second. */
  flops: number;
  bytes: number;
  /** How many times as long as that some kernels take. */
  slower?: (name: string) => number;
}

const modules = import.meta.glob<{ check: KernelCheck<ParamValues> }>('../../../kernels/src/defs/*.ts', {
  eager: true,
});
const kernels = new Map(
  Object.values(modules).map(({ check: { kernel } }) => [kernel.name as string, kernel]),
);

/** Milliseconds of what was dispatched, by what the GPU was really told to do. */
function dispatchMs({ name, params }: FakeDispatch, { flops, bytes, slower = () => 1 }: Rates): number {
  const kernel = kernels.get(name);
  if (!kernel) throw new Error(`there is no kernel '${name}'`);
  const size = kernel.parts ? kernel.parts.sized(params, params.count) : params;
  const seconds = Math.max(kernel.flops(size) / flops, kernel.bytes(size) / bytes);
  return 0.01 + 1000 * slower(name) * seconds;
}

const slowGpu = (rates: Rates) =>
  new FakeGpu({
    dispatchMs: (dispatch) => dispatchMs(dispatch, rates),
    copyMs: (bytes) => (2000 * bytes) / rates.bytes,
  });

/** Puzzles of nothing in particular. */
function anySplit(): Split {
  const tokens = new Uint8Array(BATCH * config.seq_len).map((_, i) => 1 + (i % 10));
  const indices = Int32Array.from({ length: BATCH + 1 }, (_, i) => i);
  const rows = { inputs: tokenRows(tokens, config.seq_len), labels: tokenRows(tokens, config.seq_len) };
  const puzzles = { puzzleIdentifiers: new Int32Array(BATCH), puzzleIndices: indices, groupIndices: indices };
  const metadata = {
    ...{ seq_len: config.seq_len, vocab_size: config.vocab_size, num_puzzle_identifiers: 1 },
    ...{ pad_id: 0, ignore_label_id: 0, blank_identifier_id: 0 },
    ...{ total_groups: BATCH, mean_puzzle_examples: 1, sets: ['all'] },
  };
  return { metadata, sets: new Map([['all', { ...rows, ...puzzles }]]) };
}

/** A run of the 27 M model from weights of zero. */
async function trainerOn(device: Device, microBatch: number): Promise<Trainer> {
  const shapes = parameterShapes(config);
  const zeros = (name: string) =>
    new Float32Array((shapes.get(name) ?? []).reduce((size, extent) => size * extent, 1));
  const model = await HrmModel.load(device, config, zeros);
  const carries = freshCarries(model, BATCH, microBatch);
  const progress = {
    ...{ step: 0, totalSteps: 100, augmentation: { seed: 0, stream: 0, position: 0 } },
    sampler: { iteration: 0, set: 0, visit: 0, picks: 0 },
  };
  const options = { config, train, split: anySplit(), totalSteps: 100, microBatch };
  return Trainer.resume(options, { model, optimizers: new Optimizers(model, train), carries }, progress);
}

/** What each step submitted. */
async function submitsOf(
  gpu: FakeGpu,
  microBatch = BATCH,
): Promise<{ device: Device; steps: FakeSubmit[][] }> {
  const device = wrapDevice(gpu.device);
  const trainer = await settled(trainerOn(device, microBatch));
  const steps: FakeSubmit[][] = [];
  for (let step = 0; step < STEPS; step++) {
    await settled(device.stream.finish());
    const before = gpu.submits.length;
    gpu.mostUnderWay = 0;
    await settled(trainer.advance());
    await settled(device.stream.finish());
    steps.push(gpu.submits.slice(before));
  }
  trainer.dispose();
  device.close();
  return { device, steps };
}

const msOf = ({ start, end }: FakeSubmit) => end - start;
const total = (submits: readonly FakeSubmit[]) => submits.reduce((sum, submit) => sum + msOf(submit), 0);

/** Names of what was reported to take too long by itself. */
let reported: string[];
beforeEach(() => {
  stopTime();
  reported = [];
  vi.spyOn(console, 'warn').mockImplementation((text: string) => reported.push(text.split(':')[0]));
});
afterEach(() => {
  vi.restoreAllMocks();
  resumeTime();
});

/** Half of the matrix products' rate, an eighth, … as real kernels have it. */
const uneven = (name: string) => (/backward/.test(name) ? 8 : /attention|norm/.test(name) ? 4 : 1);

const cases = [
  { name: '0.3 TFLOP/s', flops: 0.3e12, bytes: 20e9 },
  { name: '2 TFLOP/s', flops: 2e12, bytes: 20e9 },
  { name: '2 TFLOP/s, kernels of uneven speed', flops: 2e12, bytes: 100e9, slower: uneven },
];

describe.each(cases)('a step of the 27 M model at batch 384 on $name', ({ name, ...rates }) => {
  it('comes in submits of bounded length, few of them under way', async () => {
    const gpu = slowGpu(rates);
    const { device, steps } = await submitsOf(gpu);
    const longest = steps.map((submits) => Math.max(...submits.map(msOf)));
    const seconds = steps.map((submits) => total(submits) / 1000);
    console.log(
      `${name}: ${seconds[2].toFixed(1)} s a step in ${steps.map(({ length }) => length).join(', ')} submits, ` +
        `the longest ${longest.map((ms) => ms.toFixed(0)).join(', ')} ms`,
    );
    for (const submit of steps.flat()) {
      if (msOf(submit) <= 2 * device.submitMs) continue;
      expect(submit.dispatches.map((dispatch) => dispatch.name)).toEqual([expect.toBeOneOf(reported)]);
    }
    // Three of nearly 100 ms each make the two times 100 ms that are allowed ahead full.
    expect(gpu.mostUnderWay).toBeLessThanOrEqual(4);
    // Once the rates are known, submits are not much shorter than they may be, and the GPU never waits.
    const last = steps[STEPS - 1];
    expect(total(last) / last.length).toBeGreaterThan(0.6 * device.submitMs);
    expect(last[last.length - 1].end - last[0].start).toBeLessThan(1.01 * total(last));
  });
});

it('in one piece where it may take as long as it likes', async () => {
  const gpu = slowGpu(cases[1]);
  const device = wrapDevice(gpu.device, { submitMs: Number.POSITIVE_INFINITY });
  const trainer = await settled(trainerOn(device, BATCH));
  await settled(device.stream.finish());
  const before = gpu.submits.length;
  await settled(trainer.advance());
  await settled(device.stream.finish());
  const whole = Math.max(...gpu.submits.slice(before).map(msOf));
  expect(whole).toBeGreaterThan(7000); // 14.2 TFLOP: far more than any system lets a GPU be busy
  trainer.dispose();
  device.close();
});

it('names a dispatch that takes too long and cannot be divided', async () => {
  const slower = (name: string) => (name === 'swiglu' ? 20 : 1);
  const gpu = slowGpu({ flops: 2e12, bytes: 20e9, slower });
  const { device, steps } = await submitsOf(gpu);
  const long = steps.flat().filter((submit) => msOf(submit) > 2 * device.submitMs);
  expect(long.length).toBeGreaterThan(0);
  for (const { dispatches } of steps[STEPS - 1].filter((submit) => msOf(submit) > 2 * device.submitMs))
    expect(dispatches.map(({ name }) => name)).toEqual(['swiglu']);
  expect(reported.filter((name) => name === 'swiglu')).toEqual(['swiglu']);
});
