import { type Device, openDevice, startProfile } from '@hrm-webgpu/core';
import { buildSudokuSplits, DEFAULT_ARCH, DEFAULT_TRAIN, sudokuShape, Trainer } from 'hrm-webgpu';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { kernelCases } from '../../src/kernels/kernel-cases.ts';

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
