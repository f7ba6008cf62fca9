/** The published training recipes, by name: architecture, optimisation, and the data that they were made for. */

import { UserError } from '@hrm-webgpu/core';
import { didYouMean } from '../formats/closest.ts';
import { type AllConfig, DEFAULT_ARCH, DEFAULT_TRAIN } from '../model/config.ts';

export interface Preset extends AllConfig {
  summary: string;
  /** The commands that build its dataset in the folder `DIR`. */
  data: string;
}

const PUBLISHED: AllConfig = { arch: DEFAULT_ARCH, train: DEFAULT_TRAIN };

/** What the published Sudoku and Maze runs on a thousand examples share. */
const THOUSAND: AllConfig = {
  arch: DEFAULT_ARCH,
  train: {
    ...DEFAULT_TRAIN,
    epochs: 20000,
    eval_interval: 2000,
    lr: 1e-4,
    puzzle_emb_lr: 1e-4,
    weight_decay: 1,
    puzzle_emb_weight_decay: 1,
  },
};

const SUDOKU_EXTREME = 'hrm data sudoku --csv train.csv --test-csv test.csv';
const SUDOKU_1K = `${SUDOKU_EXTREME} --subsample 1000 --augment 1000 --out DIR`;

/**
 * The recipes of the HRM paper (arXiv 2506.21734) and its published code, and a small one of this project's own. Data
 * and seeds are not part of a published run's identity beyond what stands here.
 */
export const PRESETS = {
  'sudoku-extreme': {
    ...THOUSAND,
    summary: 'Sudoku-Extreme, 1000 puzzles with 1000 augmentations each (published: 55.0 % exact)',
    data: SUDOKU_1K,
  },
  'sudoku-extreme-1gpu': {
    arch: DEFAULT_ARCH,
    train: { ...THOUSAND.train, global_batch_size: 384, lr: 7e-5, puzzle_emb_lr: 7e-5 },
    summary: 'the same, as published for a single GPU',
    data: SUDOKU_1K,
  },
  'sudoku-extreme-full': {
    arch: {
      ...DEFAULT_ARCH,
      L_cycles: 8,
      halt_max_steps: 8,
      pos_encodings: 'learned',
      loss_type: 'softmax_cross_entropy',
    },
    train: {
      ...DEFAULT_TRAIN,
      global_batch_size: 2304,
      epochs: 100,
      eval_interval: 10,
      lr: 3e-4,
      puzzle_emb_lr: 3e-4,
      lr_min_ratio: 0.1,
    },
    summary: 'Sudoku-Extreme, all puzzles',
    data: `${SUDOKU_EXTREME} --out DIR`,
  },
  'maze-hard': {
    ...THOUSAND,
    summary: 'Maze-Hard 30×30, 1000 mazes (published: 74.5 % exact)',
    data: 'hrm data maze --csv train.csv --test-csv test.csv --out DIR',
  },
  'arc-1': {
    ...PUBLISHED,
    summary: 'ARC-AGI-1 and ConceptARC, 1000 augmentations a task (published: 40.3 % in two attempts)',
    data: 'hrm data arc ARC-AGI/data ConceptARC/corpus --out DIR',
  },
  'arc-2': {
    ...PUBLISHED,
    summary: 'ARC-AGI-2, 1000 augmentations a task (published: 5.0 % in two attempts)',
    data: 'hrm data arc ARC-AGI-2/data --out DIR',
  },
  // Little arithmetic (0.57 GFLOP a call): a narrow model, one step of each module a segment, small batches. A small
  // rope_theta and a puzzle position in front let attention tell the boxes apart.
  'demo-4x4': {
    arch: {
      ...DEFAULT_ARCH,
      hidden_size: 64,
      num_heads: 4,
      H_layers: 2,
      L_layers: 2,
      H_cycles: 1,
      L_cycles: 1,
      rope_theta: 10,
      puzzle_emb_ndim: 64,
      halt_max_steps: 4,
      loss_type: 'softmax_cross_entropy',
    },
    train: {
      ...DEFAULT_TRAIN,
      global_batch_size: 16,
      epochs: 1,
      eval_interval: 1,
      lr: 2e-3,
      lr_warmup_steps: 50,
      lr_min_ratio: 0,
      weight_decay: 1,
      puzzle_emb_weight_decay: 1,
    },
    summary: "4×4 Sudoku in minutes on any machine, as 'hrm demo' trains it",
    data: 'hrm data sudoku --size 4 --generate 24000 --test 512 --blanks 4-8 --out DIR',
  },
} as const satisfies Record<string, Preset>;

/** @throws UserError for an unknown name */
export function preset(name: string): Preset {
  if (Object.hasOwn(PRESETS, name)) return PRESETS[name as keyof typeof PRESETS];
  throw new UserError(
    `--preset ${name}: unknown.${didYouMean(name, Object.keys(PRESETS))} Presets: ${Object.keys(PRESETS).join(', ')}`,
  );
}
