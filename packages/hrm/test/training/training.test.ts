import { type Device, openDevice, Philox, UserError } from '@hrm-webgpu/core';
import { NonFiniteTrace } from '@hrm-webgpu/kernels/checks';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { sudokuShape } from '../../src/data/sudoku/sudoku.ts';
import { buildSudokuSplits } from '../../src/data/sudoku/sudoku-dataset.ts';
import { DEFAULT_ARCH, DEFAULT_TRAIN } from '../../src/model/config.ts';
import { erfinv, initializeModel, initialWeights, truncatedNormal } from '../../src/model/init.ts';
import type { HrmModel } from '../../src/model/model.ts';
import { parameterShapes } from '../../src/model/parameters.ts';
import { HRM } from '../../src/solving/hrm.ts';
import type { Thought } from '../../src/solving/solve-options.ts';
import { GradientNormMeter } from '../../src/training/gradient-norms.ts';
import { scheduleFactor } from '../../src/training/optimizers.ts';
import type { StepReport } from '../../src/training/steps.ts';
import { Trainer } from '../../src/training/trainer.ts';

const arch = {
  ...DEFAULT_ARCH,
  hidden_size: 32,
  num_heads: 2,
  H_layers: 1,
  L_layers: 1,
  puzzle_emb_ndim: 32,
  halt_max_steps: 3,
};
const config = { ...arch, vocab_size: 6, seq_len: 16, num_puzzle_identifiers: 1 };

describe('initialisation', () => {
  it('inverts erf', () => {
    // Reference values of erfinv to 7 digits; the formula promises about 1e-7 relative.
    for (const [x, y] of [
      [0.5, 0.4769363],
      [-0.9, -1.1630872],
      [0.9544997, 1.4142132],
      [0.001, 0.0008862272],
    ]) {
      expect(Math.abs(erfinv(x) / y - 1)).toBeLessThan(1e-6);
    }
  });

  it('draws truncated normals of the asked standard deviation', () => {
    const values = truncatedNormal(new Philox(3), 100_000, 0.25);
    const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
    const std = Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length);
    // Standard errors: mean 0.25/√1e5 = 8e-4; std less than half a percent. Five of each.
    expect(Math.abs(mean)).toBeLessThan(4e-3);
    expect(Math.abs(std / 0.25 - 1)).toBeLessThan(0.01);
    // Cut at two of the widened σ' = 0.25/0.8796.
    expect(values.reduce((a, b) => Math.max(a, Math.abs(b)), 0)).toBeLessThanOrEqual(
      (2 * 0.25) / 0.8796 + 1e-6,
    );
  });

  it('gives every tensor, and the heads and puzzle rows their special values', () => {
    const weights = new Map(initialWeights(config, 0));
    expect([...weights.keys()]).toEqual([...parameterShapes(config).keys()]);
    expect([...(weights.get('q_head.bias') as Float32Array)]).toEqual([-5, -5]);
    for (const name of ['q_head.weight', 'puzzle_emb.weights'])
      expect(new Set(weights.get(name))).toEqual(new Set([0]));
    expect(weights.get('H_init')).not.toEqual(weights.get('L_init'));
    expect(new Map(initialWeights(config, 1)).get('H_init')).not.toEqual(weights.get('H_init'));
  });
});

describe('schedule', () => {
  const cosine = { lr_warmup_steps: 10, lr_min_ratio: 0.1 };
  it.each([
    [1, 0.1],
    [9, 0.9],
    [10, 1],
    [60, 0.1 + 0.9 * 0.5],
    [110, 0.1],
  ])('factor at step %d is %d', (step, factor) => {
    expect(scheduleFactor(step, 110, cosine)).toBeCloseTo(factor, 12);
  });
  it('stays at 1 with lr_min_ratio 1, and survives a run no longer than its warm-up', () => {
    expect(scheduleFactor(70, 110, { lr_warmup_steps: 10, lr_min_ratio: 1 })).toBe(1);
    expect(scheduleFactor(10, 10, cosine)).toBe(1);
  });
});

/** Makes steps and returns their reports. */
async function take(trainer: Trainer, steps: number): Promise<StepReport[]> {
  const reports: StepReport[] = [];
  for (let i = 0; i < steps; i++) reports.push(...(await trainer.advance()));
  return [...reports, ...(await trainer.settle())];
}

describe('Trainer', () => {
  let device: Device;
  beforeAll(async () => {
    device = await openDevice();
  });
  afterAll(() => device.close());
  const counts = { train: 64, validation: 1, test: 1 };
  const splits = buildSudokuSplits({ shape: sudokuShape(4), minBlanks: 4, maxBlanks: 6, seed: 0, ...counts });
  const train = {
    ...DEFAULT_TRAIN,
    lr: 3e-3,
    lr_warmup_steps: 5,
    global_batch_size: 8,
    epochs: 1,
    eval_interval: 1,
  };
  const start = (changes: Partial<typeof train> = {}) =>
    Trainer.start(device, { config, train: { ...train, ...changes }, split: splits.train, totalSteps: 40 });

  it('learns: the loss falls', async () => {
    const trainer = await start();
    const losses: number[] = [];
    const keep = (reports: StepReport[]) => losses.push(...reports.map(({ sums }) => sums.lm_loss));
    while (!trainer.finished) await trainer.advance().then((reports) => keep(reports));
    keep(await trainer.settle());
    expect(losses).toHaveLength(40);
    const mean = (part: number[]) => part.reduce((a, b) => a + b) / part.length;
    expect(mean(losses.slice(-5))).toBeLessThan(0.7 * mean(losses.slice(0, 5)));
    trainer.dispose();
  });

  it('does the same twice, and differs by seed', async () => {
    const losses = async (seed: number) => {
      const trainer = await start({ seed });
      const result = (await take(trainer, 4)).map(({ loss }) => loss);
      trainer.dispose();
      return result;
    };
    const first = await losses(0);
    expect(await losses(0)).toEqual(first);
    expect(await losses(1)).not.toEqual(first);
  });

  it.each([false, true])('reports the norms of the gradient now and then, op by op: %s', async (eager) => {
    const { split, totalSteps } = { split: splits.train, totalSteps: 40 };
    const trainer = await Trainer.start(device, { config, train, split, totalSteps, eager });
    const [first] = await take(trainer, 1);
    // The first moments began at 0: they are (1 − β₁)·g.
    const squares = { all: 0, H_level: 0, L_level: 0 };
    for (const [name, { m }] of trainer.optimizers.moments) {
      const sum = (await m.readF32()).reduce((total, value) => total + (value / (1 - train.beta1)) ** 2, 0);
      squares.all += sum;
      for (const level of ['H_level', 'L_level'] as const)
        if (name.startsWith(`${level}.`)) squares[level] += sum;
    }
    const { all, H_level, L_level } = first.gradientNorms ?? {};
    for (const [norm, sum] of [
      [all, squares.all],
      [H_level, squares.H_level],
      [L_level, squares.L_level],
    ]) {
      // A rounding of m, three of the norms of at most 256 columns, and of as many rows: positive sums.
      expect(Math.abs((norm ?? 0) / Math.sqrt(sum as number) - 1)).toBeLessThan(64 * 2 ** -24);
    }
    const later = await take(trainer, 17);
    expect(later.filter(({ gradientNorms }) => gradientNorms).map(({ step }) => step)).toEqual([17]);
    trainer.dispose();
  });

  it('reports steps in order, whatever comes back first', async () => {
    const { read } = GradientNormMeter.prototype;
    vi.spyOn(GradientNormMeter.prototype, 'read').mockImplementation(async function (
      this: GradientNormMeter,
    ) {
      const norms = await read.call(this);
      await new Promise((resolve) => setTimeout(resolve, 300));
      return norms;
    });
    const trainer = await start();
    const reports = await take(trainer, 40);
    expect(reports.map(({ step }) => step)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1));
    trainer.dispose();
    vi.restoreAllMocks();
  });

  it('gives the same bits recorded as op by op, and however finely it is submitted', async () => {
    const run = async (eager: boolean, submitMs: number) => {
      device.submitMs = submitMs;
      const { split, totalSteps } = { split: splits.train, totalSteps: 40 };
      const trainer = await Trainer.start(device, { config, train, split, totalSteps, eager });
      const reports = await take(trainer, 8); // halt_max_steps and more
      const weights = await Promise.all(
        [...trainer.model.weights.values()].map((tensor) => tensor.readF32()),
      );
      trainer.dispose();
      return { reports, weights };
    };
    const uncut = await run(false, Number.POSITIVE_INFINITY);
    expect(await run(true, Number.POSITIVE_INFINITY)).toEqual(uncut);
    // Every dispatch by itself, and every product and head in as many parts as there are.
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    expect(await run(false, 1e-9)).toEqual(uncut);
    expect(await run(true, 1e-9)).toEqual(uncut);
    warn.mockRestore();
    device.submitMs = 100;
  });

  it.each([false, true])(
    'gives the same bits where everything is looked at for NaNs (eager: %s)',
    async (eager) => {
      const run = async (traced: boolean) => {
        const trace = traced ? ({ device }: HrmModel) => new NonFiniteTrace(device) : undefined;
        const { split, totalSteps } = { split: splits.train, totalSteps: 40 };
        const trainer = await Trainer.start(device, { config, train, split, totalSteps, eager, trace });
        const reports = await take(trainer, 8);
        trainer.dispose();
        expect(device.tensors.size).toBe(0);
        return reports;
      };
      expect(await run(true)).toEqual(await run(false));
    },
  );

  it('keeps no tensor and no more memory from step to step', async () => {
    const trainer = await start();
    await take(trainer, 3);
    const before = { tensors: device.tensors.size, bytes: device.memory.totalBytes };
    await take(trainer, 10);
    expect({ tensors: device.tensors.size, bytes: device.memory.totalBytes }).toEqual(before);
    trainer.dispose();
    expect(device.tensors.size).toBe(0);
  });

  it('reports a loss that is no number', async () => {
    const trainer = await start({ lr: 1e38, lr_warmup_steps: 0 });
    await expect(take(trainer, 10)).rejects.toThrow(UserError);
    trainer.dispose();
  });

  it('thinks about one puzzle for as long as asked, past what it was trained for', async () => {
    const { inputs } = [...splits.test.sets.values()][0];
    const thoughts = async (halt_max_steps: number) => {
      const model = await initializeModel(device, { ...config, halt_max_steps }, 0);
      const tokens: number[][] = [];
      const solver = HRM.of(model);
      const onSegment = (thought: Thought) => tokens.push([...thought.tokens]);
      await solver.solve(Int32Array.from(inputs.read(0)), { maxSteps: 6, halt: false, onSegment });
      solver.dispose();
      model.dispose();
      return tokens;
    };
    const long = await thoughts(6);
    expect(long).toHaveLength(6);
    // Past the third segment the state must go on, not start anew.
    expect(await thoughts(3)).toEqual(long);
    expect(long[3]).not.toEqual(long[0]);
  });
});
