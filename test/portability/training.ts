import type { Device } from '@hrm-webgpu/core';
import { sudokuShape } from '../../packages/hrm/src/data/sudoku/sudoku.ts';
import { buildSudokuSplits } from '../../packages/hrm/src/data/sudoku/sudoku-dataset.ts';
import { DEFAULT_ARCH, DEFAULT_TRAIN } from '../../packages/hrm/src/model/config.ts';
import { Trainer } from '../../packages/hrm/src/training/trainer.ts';

/** The loss of each step of a small run that learns: the same on every implementation but for rounding. */
export async function trainingLosses(device: Device, steps: number): Promise<number[]> {
  const shape = sudokuShape(4);
  const sizes = { train: 200, validation: 0, test: 0 };
  const { train: split } = buildSudokuSplits({ shape, minBlanks: 4, maxBlanks: 8, ...sizes, seed: 1 });
  const { seq_len, vocab_size, num_puzzle_identifiers } = split.metadata;
  const layers = { H_layers: 1, L_layers: 1, H_cycles: 2, L_cycles: 2 };
  const trainer = await Trainer.start(device, {
    config: {
      ...{
        ...DEFAULT_ARCH,
        ...layers,
        hidden_size: 64,
        num_heads: 4,
        puzzle_emb_ndim: 64,
        halt_max_steps: 4,
      },
      ...{ seq_len, vocab_size, num_puzzle_identifiers },
    },
    train: {
      ...DEFAULT_TRAIN,
      global_batch_size: 8,
      lr: 1e-3,
      puzzle_emb_lr: 1e-3,
      lr_warmup_steps: 10,
      seed: 1,
    },
    split,
    totalSteps: steps,
  });
  const losses: number[] = [];
  while (!trainer.finished) losses.push(...(await trainer.advance()).map(({ loss }) => loss));
  losses.push(...(await trainer.settle()).map(({ loss }) => loss));
  trainer.dispose();
  return losses;
}
