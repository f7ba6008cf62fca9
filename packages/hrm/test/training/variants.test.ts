/** Variants of the published training: each a key, off by default. */
import { type Device, openDevice } from '@hrm-webgpu/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testBatches } from '../../src/data/dataset/sampler.ts';
import { answers } from '../../src/evaluation/answers.ts';
import { bytesSource } from '../../src/formats/files/byte-source.ts';
import { openSafetensors } from '../../src/formats/safetensors.ts';
import type { ArchConfig, TrainConfig } from '../../src/model/config.ts';
import {
  type CheckpointMetadata,
  encodeTraining,
  loadTraining,
  readMetadata,
} from '../../src/training/checkpoint.ts';
import { Trainer } from '../../src/training/trainer.ts';
import { smallRun, testSplit } from './losses.ts';

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());

interface Variant {
  arch?: Partial<ArchConfig>;
  train?: Partial<TrainConfig>;
}

/** A run of 8 steps with some keys changed. */
function run({ arch, train }: Variant) {
  const options = smallRun(8);
  return { ...options, config: { ...options.config, ...arch }, train: { ...options.train, ...train } };
}

async function steps(trainer: Trainer, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await trainer.advance();
  await trainer.settle();
}

const contents = async (trainer: Trainer) =>
  new Uint8Array(await new Blob((await encodeTraining(trainer, {})) as BlobPart[]).arrayBuffer());

const VARIANTS: [string, Variant][] = [
  ['ema', { train: { ema: true, ema_rate: 0.9 } }],
  ['no_continue', { arch: { no_continue: true } }],
  ['gradient_cycles 1', { arch: { gradient_cycles: 1 } }],
  ['gradient_cycles 2', { arch: { gradient_cycles: 2 } }],
  ['a transformer', { arch: { model: 'transformer', halt_max_steps: 1 } }],
];

it.each(VARIANTS)('%s trains, and goes on from a checkpoint to the same bits', async (_, variant) => {
  const options = run(variant);
  using whole = await Trainer.start(device, options);
  await steps(whole, 3);
  const middle = await contents(whole);
  await steps(whole, 3);
  const file = await openSafetensors(bytesSource(middle, 'the checkpoint'));
  const metadata = readMetadata(file) as CheckpointMetadata;
  const { training, ...state } = await loadTraining(device, file, metadata);
  expect(metadata.config).toEqual(options.config);
  using resumed = Trainer.resume(options, state, training.progress);
  expect(await contents(resumed)).toEqual(middle);
  await steps(resumed, 3);
  const [a, b] = [await contents(whole), await contents(resumed)];
  expect(b.length).toBe(a.length);
  expect(Buffer.compare(a, b)).toBe(0);
  expect(Buffer.compare(a, middle)).not.toBe(0);
});

it.each(VARIANTS)('%s gives the same bits recorded as op by op', async (_, variant) => {
  const options = run(variant);
  using recorded = await Trainer.start(device, options);
  using eager = await Trainer.start(device, { ...options, eager: true });
  await steps(recorded, 2);
  await steps(eager, 2);
  expect(Buffer.compare(await contents(recorded), await contents(eager))).toBe(0);
});

describe('ema', () => {
  it('is the exponential moving average of the weights, step by step', async () => {
    using trainer = await Trainer.start(device, run({ train: { ema: true, ema_rate: 0.9 } }));
    const { average } = trainer;
    if (!average) return expect.unreachable();
    const read = async (name: string) => Float64Array.from(await trainer.model.weight(name).readF32());
    const names = trainer.model.trained.map(([name]) => name);
    const expected = new Map<string, Float64Array>();
    for (const name of names) expected.set(name, await read(name));
    for (let step = 1; step <= 5; step++) {
      await steps(trainer, 1);
      for (const name of names) {
        const weights = await read(name);
        expected.set(
          name,
          (expected.get(name) as Float64Array).map((mean, i) => 0.9 * mean + (1 - 0.9) * weights[i]),
        );
      }
    }
    for (const name of names) {
      const found = await trainer.evaluated.weight(name).readF32();
      const mean = expected.get(name) as Float64Array;
      const largest = mean.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const off = mean.reduce((most, value, i) => Math.max(most, Math.abs(value - found[i])), 0);
      // Five steps in f32, each rounded within a roundoff and a half of the largest.
      expect(off / largest, name).toBeLessThan(5 * 1.5 * 2 ** -24);
      expect(off).toBeLessThan(largest);
    }
    expect(await trainer.evaluated.weight('lm_head.weight').readF32()).not.toEqual(
      await trainer.model.weight('lm_head.weight').readF32(),
    );
  });

  it('does not change what is trained', async () => {
    using plain = await Trainer.start(device, run({}));
    using averaged = await Trainer.start(device, run({ train: { ema: true } }));
    await steps(plain, 4);
    await steps(averaged, 4);
    for (const [name, tensor] of plain.model.weights)
      expect(await averaged.model.weight(name).read(), name).toEqual(await tensor.read());
    expect(plain.evaluated).toBe(plain.model);
  });

  it('is what answers: its transposed weights are made again', async () => {
    using trainer = await Trainer.start(device, run({ train: { ema: true, ema_rate: 0.5 } }));
    const logits = async () => {
      const found: number[] = [];
      for await (const ready of answers(trainer.evaluated, testBatches(testSplit, 1), { batchSize: 8 }))
        found.push(...ready.map(({ lmLoss }) => lmLoss));
      return found;
    };
    const before = await logits();
    await steps(trainer, 4);
    expect(await logits()).not.toEqual(before);
  });
});

it('no_continue halts where q_halt exceeds 0, in training and in answers', async () => {
  using trainer = await Trainer.start(device, run({ arch: { no_continue: true, halt_exploration_prob: 0 } }));
  const bias = trainer.model.weight('q_head.bias');
  const haltsAt = async (qHalt: number) => {
    bias.write(Float32Array.of(qHalt, 100)); // a q_continue that would never halt
    const halting = { batchSize: 8, haltEarly: true };
    const found: number[] = [];
    for await (const ready of answers(trainer.model, testBatches(testSplit, 1), halting))
      for (const { steps, qContinue } of ready) {
        expect(qContinue).toBe(0);
        found.push(steps);
      }
    return new Set(found);
  };
  expect(await haltsAt(10)).toEqual(new Set([1]));
  expect(await haltsAt(-10)).toEqual(new Set([3]));
  bias.write(Float32Array.of(10, 100));
  await steps(trainer, 1);
  expect(new Set(await trainer.carries[0].current.halted.read())).toEqual(new Set([1]));
});
