import { type Device, openDevice } from '@hrm-webgpu/core';
import { standardChoice } from '@hrm-webgpu/kernels/operation';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { sudokuShape } from '../../src/data/sudoku/sudoku.ts';
import { buildSudokuSplits } from '../../src/data/sudoku/sudoku-dataset.ts';
import { evaluate } from '../../src/evaluation/evaluate.ts';
import { DEFAULT_ARCH, DEFAULT_TRAIN, type ModelConfig } from '../../src/model/config.ts';
import { initializeModel } from '../../src/model/init.ts';
import { HRM } from '../../src/solving/hrm.ts';
import { Trainer } from '../../src/training/trainer.ts';
import { operationsOf, type Workload } from '../../src/tuning/tuning-uses.ts';

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());

const splits = buildSudokuSplits({
  ...{ shape: sudokuShape(4), minBlanks: 4, maxBlanks: 6, seed: 0 },
  ...{ train: 24, validation: 1, test: 10 },
});
const config: ModelConfig = {
  ...DEFAULT_ARCH,
  ...{ hidden_size: 32, num_heads: 2, H_layers: 1, L_layers: 1, puzzle_emb_ndim: 32, halt_max_steps: 2 },
  ...{ vocab_size: 6, seq_len: 16, num_puzzle_identifiers: 1 },
};
const train = { ...DEFAULT_TRAIN, global_batch_size: 12, epochs: 1, eval_interval: 1 };

/** Of a model that is made for the purpose, as `hrm tune` does. */
async function operations(workload: Workload) {
  const model = await initializeModel(device, config, 0);
  const uses = operationsOf(model, workload);
  model.dispose();
  return uses;
}

it('lists without running, and leaves nothing behind', async () => {
  const before = device.tensors.size;
  const { dispatchCount } = device.stream;
  const uses = await operations({ training: 4, inference: [10, 1] });
  expect(device.tensors.size).toBe(before);
  // Loading a model transposes its 9 linear weights.
  expect(device.stream.dispatchCount - dispatchCount).toBeLessThan(12);
  expect(device.tape.length).toBe(0);
  expect([...uses.keys()].filter((key) => key.startsWith('attention batch='))).toEqual([
    'attention batch=4 seq_len=17 heads=2 head_dim=16',
    'attention batch=10 seq_len=17 heads=2 head_dim=16',
    'attention batch=1 seq_len=17 heads=2 head_dim=16',
  ]);
});

it.each([
  ['in parts', 4],
  ['whole', 12],
])('names every operation of training (%s), evaluation and solving', async (_, microBatch) => {
  const uses = await operations({ training: microBatch, inference: [10, 1] });
  for (const [key, { operation, params }] of uses)
    device.tuning.set(key, standardChoice(operation, device, params));
  const met = vi.spyOn(device.tuning, 'get');

  const options = { config, train, split: splits.train, totalSteps: 2, microBatch };
  const trainer = await Trainer.start(device, options);
  await trainer.advance();
  await trainer.settle();
  await evaluate(trainer.model, splits.test, { batchSize: 128 });
  const solver = HRM.of(trainer.model, 'none');
  await solver.solve(new Int32Array(config.seq_len).fill(1), { maxSteps: 1 });

  const keys = new Set(met.mock.calls.map(([key]) => key));
  met.mockRestore();
  solver.dispose();
  trainer.dispose();
  device.tuning.clear();
  expect([...keys].filter((key) => !uses.has(key))).toEqual([]);
  expect([...uses.keys()].filter((key) => !keys.has(key))).toEqual([]);
});

it('counts on the model of a trainer without changing what it trains', async () => {
  const losses = [];
  for (const looked of [false, true]) {
    const trainer = await Trainer.start(device, { config, train, split: splits.train, totalSteps: 2 });
    if (looked) operationsOf(trainer.model, { training: 12, inference: [10] });
    await trainer.advance();
    await trainer.advance();
    losses.push((await trainer.settle()).map(({ loss }) => loss));
    trainer.dispose();
  }
  expect(losses[0]).toHaveLength(2);
  expect(losses[1]).toEqual(losses[0]);
});
