import { type Device, openDevice, Tensor, UserError } from '@hrm-webgpu/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sudokuShape } from '../../src/data/sudoku/sudoku.ts';
import { buildSudokuSplits } from '../../src/data/sudoku/sudoku-dataset.ts';
import { bytesSource } from '../../src/formats/files/byte-source.ts';
import { openTensorFile } from '../../src/formats/open-checkpoint.ts';
import { DEFAULT_ARCH, DEFAULT_TRAIN, type ModelConfig } from '../../src/model/config.ts';
import { initializeModel } from '../../src/model/init.ts';
import { encodeTraining, loadTraining, readMetadata } from '../../src/training/checkpoint.ts';
import { divisorsOf, freshCarries, MicroBatches, partRows } from '../../src/training/micro-batches.ts';
import { Optimizers } from '../../src/training/optimizers.ts';
import type { StepReport } from '../../src/training/steps.ts';
import { Trainer } from '../../src/training/trainer.ts';

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());

const BATCH = 12;
const config: ModelConfig = {
  ...DEFAULT_ARCH,
  hidden_size: 32,
  num_heads: 2,
  H_layers: 1,
  L_layers: 2,
  puzzle_emb_ndim: 32,
  halt_max_steps: 4,
  halt_exploration_prob: 0.5,
  vocab_size: 6,
  seq_len: 16,
  num_puzzle_identifiers: 5,
};
const train = {
  ...DEFAULT_TRAIN,
  lr: 1e-3,
  lr_warmup_steps: 5,
  global_batch_size: BATCH,
  epochs: 1,
  eval_interval: 1,
};
const counts = { train: 120, validation: 1, test: 1 };
const { train: sudoku } = buildSudokuSplits({
  shape: sudokuShape(4),
  minBlanks: 4,
  maxBlanks: 6,
  seed: 0,
  ...counts,
});
/** The same identifiers again and again, so that equal ones stand in different parts of a batch. */
const split = {
  metadata: { ...sudoku.metadata, num_puzzle_identifiers: 5 },
  sets: new Map(
    [...sudoku.sets].map(([name, set]) => [
      name,
      { ...set, puzzleIdentifiers: set.puzzleIdentifiers.map((_, i) => 1 + (i % 4)) },
    ]),
  ),
};

const start = (microBatch: number | undefined, eager = false) =>
  Trainer.start(device, { config, train, split, totalSteps: 40, microBatch, eager });

async function take(trainer: Trainer, steps: number): Promise<StepReport[]> {
  const reports: StepReport[] = [];
  for (let i = 0; i < steps; i++) reports.push(...(await trainer.advance()));
  return [...reports, ...(await trainer.settle())];
}

/** Gradients of the first step and the halting that it leaves, for a batch of random rows cut into parts. */
async function firstStep(rows: number) {
  const model = await initializeModel(device, config, 3);
  // Fresh puzzle rows and q_head are zero, which would hide what a wrong row of either does.
  const noise = (size: number) => Float32Array.from({ length: size }, (_, i) => Math.sin(7 * i + 1));
  for (const name of ['puzzle_emb.weights', 'q_head.weight']) {
    const tensor = model.weight(name);
    tensor.write(noise(tensor.size));
  }
  // All rows want to halt: who does not, explores.
  model.weight('q_head.bias').write(Float32Array.of(40, -40));
  const parts = new MicroBatches(model, freshCarries(model, BATCH, rows));
  const { seq_len } = config;
  const token = (i: number) => 1 + ((i * i + 3 * i) % 5);
  parts.write({
    inputs: Int32Array.from({ length: BATCH * seq_len }, (_, i) => token(i)),
    labels: Int32Array.from({ length: BATCH * seq_len }, (_, i) => (i % 7 === 0 ? -100 : token(i + 5))),
    puzzleIdentifiers: Int32Array.from({ length: BATCH }, (_, i) => i % 3),
    rows: BATCH,
  });
  const call = Tensor.from(device, Uint32Array.of(11));
  const result = device.scope(() => parts.gradients(call, train));
  const gradients = new Map<string, Float32Array>();
  for (const [name, tensor] of model.trained) {
    gradients.set(name, await (result.gradients.get(tensor) as Tensor).readF32());
  }
  const { puzzle } = result;
  if (!puzzle) throw new Error('the model has puzzle rows, but they have no gradient');
  gradients.set('puzzle rows', await puzzle.gradient.readF32());
  gradients.set('metrics', await result.metrics.readF32());
  const identifiers = [...(await puzzle.identifiers.read())];
  const halted = (await Promise.all(parts.carries.map(({ current }) => current.halted.read()))).flatMap(
    (part) => [...part],
  );
  for (const tensor of [call, result.metrics, ...Object.values(puzzle), ...result.gradients.values()]) {
    tensor.dispose();
  }
  parts.dispose();
  model.dispose();
  expect(device.tensors.size).toBe(0);
  return { gradients, identifiers, halted };
}

/**
 * How far the sums over a batch may differ when it is cut. A gradient adds about n = 12 · 17 rounded products; in
 * whatever order, the error is below n·u·Σ|terms| (Higham, "Accuracy and Stability of Numerical Algorithms", §3.1), and
 * typically √n·u ≈ 9e-7 of the largest element. Measured: 2.4e-7. A missing or doubled part differs by a tenth or more.
 */
const TOLERANCE = 2e-6;

/**
 * Of the loss, over a dozen steps: Adam divides a gradient by its size, so one of nearly zero, which rounding alone
 * decides, moves its weight as far as any other. Measured: 1.1e-7.
 */
const LOSS_TOLERANCE = 1e-4;

describe('a batch in parts', () => {
  it.each([1, 3, 4, 6])('has the gradients of the whole batch: parts of %d rows', async (rows) => {
    const whole = await firstStep(BATCH);
    const parts = await firstStep(rows);
    expect(parts.identifiers).toEqual(whole.identifiers);
    // Exploration draws by the row's place in the whole batch.
    expect(parts.halted).toEqual(whole.halted);
    expect(new Set(whole.halted)).toEqual(new Set([0, 1]));
    let largest = 0;
    for (const [name, expected] of whole.gradients) {
      const actual = parts.gradients.get(name) as Float32Array;
      expect(actual.length, name).toBe(expected.length);
      const scale = expected.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
      const worst = expected.reduce((max, x, i) => Math.max(max, Math.abs(x - actual[i])), 0);
      expect(scale, name).toBeGreaterThan(0);
      largest = Math.max(largest, worst / scale);
    }
    expect(largest).toBeLessThan(TOLERANCE);
  });

  it('trains as the whole batch does', async () => {
    const run = async (microBatch?: number) => {
      const trainer = await start(microBatch);
      const reports = await take(trainer, 12);
      const steps: number[] = [];
      for (const { current } of trainer.carries) steps.push(...(await current.steps.read()));
      const rows = await trainer.model.weight('puzzle_emb.weights').readF32();
      trainer.dispose();
      return { reports, steps, rows };
    };
    const whole = await run();
    const parts = await run(3);
    expect(parts.steps).toEqual(whole.steps);
    parts.reports.forEach(({ sums, loss, lr }, i) => {
      const expected = whole.reports[i];
      expect(lr).toBe(expected.lr);
      expect(sums.count).toBe(expected.sums.count);
      expect(Math.abs(loss / expected.loss - 1)).toBeLessThan(LOSS_TOLERANCE);
    });
    // The sign of a gradient that is nearly zero may turn, and moves its element by 2·lr the other way.
    const moved = parts.rows.filter((x, i) => Math.abs(x - whole.rows[i]) > 1e-6);
    expect(moved.length).toBeLessThan(0.05 * parts.rows.length);
    expect(whole.rows.some((x) => x !== 0)).toBe(true);
  });

  it('gives the same bits recorded as op by op, and keeps nothing from step to step', async () => {
    const run = async (eager: boolean) => {
      const trainer = await start(4, eager);
      const reports = await take(trainer, 3);
      const before = device.tensors.size;
      reports.push(...(await take(trainer, 3)));
      expect(device.tensors.size).toBe(before);
      const weights = await Promise.all(
        [...trainer.model.weights.values()].map((tensor) => tensor.readF32()),
      );
      trainer.dispose();
      expect(device.tensors.size).toBe(0);
      return { reports, weights };
    };
    expect(await run(true)).toEqual(await run(false));
  });

  it('goes on from a checkpoint, cut differently or not at all', async () => {
    const first = await start(4);
    await take(first, 5);
    const bytes = Buffer.concat(await encodeTraining(first, {}));
    const going = await take(first, 4);
    first.dispose();
    const resume = async (microBatch?: number) => {
      const file = await openTensorFile(bytesSource(bytes, 'checkpoint.safetensors'));
      const metadata = readMetadata(file);
      if (!metadata) throw new Error('no metadata');
      expect(file.info('carry.z_H').shape).toEqual([BATCH, 17, 32]);
      const { training, ...state } = await loadTraining(device, file, metadata, { microBatch });
      const trainer = Trainer.resume(
        { config, train, split, totalSteps: 40, microBatch },
        state,
        training.progress,
      );
      const reports = await take(trainer, 4);
      trainer.dispose();
      return reports;
    };
    expect(await resume(4)).toEqual(going);
    const other = await resume();
    other.forEach(({ loss }, i) => {
      expect(Math.abs(loss / going[i].loss - 1)).toBeLessThan(LOSS_TOLERANCE);
    });
  });

  it('must be cut evenly', () => {
    expect(partRows(12)).toBe(12);
    expect(partRows(12, 4)).toBe(4);
    expect(() => partRows(12, 5)).toThrow(UserError);
    expect(() => partRows(12, 5)).toThrow(/must divide global_batch_size \(12\): use 4/);
    expect(() => partRows(12, 13)).toThrow(/use 12/);
    expect(divisorsOf(12)).toEqual([12, 6, 4, 3, 2, 1]);
  });
});

it('needs less memory in parts', async () => {
  const bytes = async (rows: number) => {
    const model = await initializeModel(device, config, 0);
    const optimizers = new Optimizers(model, train);
    const parts = new MicroBatches(model, freshCarries(model, 48, rows));
    const call = Tensor.from(device, Uint32Array.of(0));
    const before = device.memory.liveBytes;
    const plan = device.record(() => {
      const { gradients, puzzle } = parts.gradients(call, { ...train, global_batch_size: 48 });
      optimizers.step(gradients, puzzle);
    });
    const size = device.memory.liveBytes - before;
    plan.dispose();
    for (const owner of [parts, optimizers, model, call]) owner.dispose();
    return size;
  };
  const whole = await bytes(48);
  expect(await bytes(12)).toBeLessThan(0.5 * whole);
});
