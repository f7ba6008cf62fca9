import { type Device, openDevice, Philox, startProfile } from '@hrm-webgpu/core';
import { checks } from '@hrm-webgpu/kernels/checks';
import { buildSudokuSplits, DEFAULT_ARCH, DEFAULT_TRAIN, sudokuShape, Trainer } from 'hrm-webgpu';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { casesOf, kernelCases } from '../../src/kernels/kernel-cases.ts';
import { prepareKernel } from '../../src/timing/kernel-run.ts';

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());

it('covers every kernel that a training step runs', async () => {
  const counts = { train: 8, validation: 1, test: 1 };
  const splits = buildSudokuSplits({ shape: sudokuShape(4), minBlanks: 4, maxBlanks: 6, seed: 0, ...counts });
  const size = {
    hidden_size: 32,
    num_heads: 2,
    H_layers: 1,
    L_layers: 1,
    puzzle_emb_ndim: 32,
    halt_max_steps: 3,
  };
  const config = { ...DEFAULT_ARCH, ...size, vocab_size: 6, seq_len: 16, num_puzzle_identifiers: 1 };
  const train = { ...DEFAULT_TRAIN, global_batch_size: 8 };
  const trainer = await Trainer.start(device, {
    config,
    train,
    split: splits.train,
    totalSteps: 9,
    eager: true,
  });
  const stop = startProfile(device);
  for (let step = 0; step < 3; step++) await trainer.advance();
  await trainer.settle();
  const run = (await stop()).map(({ name }) => name);
  trainer.dispose();
  const names = new Set(kernelCases(device).map(({ check }) => check.kernel.name));
  // Which kernels multiply is the engine's choice, by adapter and shape; `multiply` stands for all of them.
  const multiplies = (name: string) => name.startsWith('matmul');
  expect(run.filter((name) => !multiplies(name) && !names.has(name as never))).toEqual([]);
  expect(run.filter(multiplies)).not.toEqual([]);
});

describe('bench kernel', () => {
  it.each(Object.keys(checks))('has %s at shapes with all of its parameters', (name) => {
    const check = checks[name];
    const cases = casesOf(device, check);
    expect(cases.length).toBeGreaterThan(0);
    for (const { params } of cases)
      expect(Object.keys(params).sort()).toEqual(Object.keys(check.cases[0]).sort());
  });

  // One of the full-size model, one of a family that does the same in other ways, and two that the model does not have: with
  // sizes as it has them, and with others.
  it.each([
    ['rope', ['rope']],
    ['matmul', ['matmul 512→1536', 'matmul 512→512', 'matmul 512→3072', 'matmul 1536→512']],
    ['softmax', ['softmax rows=656 columns=512']],
    ['fill', ['fill length=335872 value=0']],
    [
      'batch_sum',
      [
        'batch_sum batch=5 length=1036 scale=1',
        'batch_sum batch=7 length=131 scale=-0.7',
        'batch_sum batch=3 length=70 scale=1',
      ],
    ],
  ])('verifies and runs %s', async (kernel, names) => {
    const cases = casesOf(device, checks[kernel]);
    expect(cases.map(({ name }) => name)).toEqual(names);
    const run = await prepareKernel(device, cases[0], new Philox(1));
    expect(run.bytes).toBeGreaterThan(0);
    run.dispose();
  });
});
