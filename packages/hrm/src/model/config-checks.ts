/** Whether the values of a configuration make sense together. */

import { UserError } from '@hrm-webgpu/core';
import { valueText } from '../formats/quote.ts';
import { type ArchConfig, type ModelConfig, puzzlePositions, type TrainConfig } from './config.ts';

/** Far above any model: sizes beyond it are slips of the keyboard. */
const LARGEST = 1_000_000;

/** Blocks that a segment passes: the published model has 24, and no file may ask for hours of one segment. */
const MOST_BLOCKS = 10_000;
/** Of a thought; the published model has 16. */
const MOST_SEGMENTS = 10_000;
/** Of a sequence, prefix and all; the largest published task has 916. */
const MOST_POSITIONS = 2 ** 16;

const POSITIVE_INTEGERS = [
  'hidden_size',
  'num_heads',
  'H_layers',
  'L_layers',
  'H_cycles',
  'L_cycles',
  'halt_max_steps',
] as const;

/** @throws UserError when the values do not make a model */
export function checkArch(arch: ArchConfig, file: string): ArchConfig {
  const fail = (key: keyof ArchConfig, expected: string): never => {
    throw new UserError(`${file}: arch.${key} must be ${expected}, got ${valueText(arch[key])}`);
  };
  for (const key of POSITIVE_INTEGERS) {
    if (!Number.isInteger(arch[key]) || arch[key] < 1 || arch[key] > LARGEST) {
      fail(key, `a whole number from 1 to ${LARGEST}`);
    }
  }
  const { H_cycles, L_cycles, H_layers, L_layers } = arch;
  const blocks = H_cycles * (L_cycles * L_layers + H_layers);
  if (blocks > MOST_BLOCKS) {
    throw new UserError(
      `${file}: a segment would pass ${blocks} blocks, H_cycles · (L_cycles · L_layers + H_layers), at most ${MOST_BLOCKS} are ` +
        'allowed',
    );
  }
  if (arch.halt_max_steps > MOST_SEGMENTS) fail('halt_max_steps', `at most ${MOST_SEGMENTS}`);
  if (!Number.isInteger(arch.puzzle_emb_ndim) || arch.puzzle_emb_ndim < 0 || arch.puzzle_emb_ndim > LARGEST) {
    fail('puzzle_emb_ndim', `a whole number from 0 to ${LARGEST}`);
  }
  if ((arch.hidden_size / arch.num_heads) % 2 !== 0) {
    fail('num_heads', `a divisor of hidden_size (${arch.hidden_size}) that leaves an even head_dim`);
  }
  if (arch.hidden_size / arch.num_heads > 128)
    fail('num_heads', 'large enough for a head_dim of at most 128');
  if (arch.pos_encodings !== 'rope' && arch.pos_encodings !== 'learned')
    fail('pos_encodings', "'rope' or 'learned'");
  if (arch.loss_type !== 'stablemax_cross_entropy' && arch.loss_type !== 'softmax_cross_entropy') {
    fail('loss_type', "'stablemax_cross_entropy' or 'softmax_cross_entropy'");
  }
  for (const key of ['expansion', 'rope_theta', 'rms_norm_eps'] as const) {
    if (!(arch[key] > 0)) fail(key, 'greater than 0');
  }
  if (
    !Number.isInteger(arch.gradient_cycles) ||
    arch.gradient_cycles < 0 ||
    arch.gradient_cycles > arch.H_cycles
  )
    fail('gradient_cycles', `a whole number from 0 to H_cycles (${arch.H_cycles})`);
  if (arch.model !== 'hrm' && arch.model !== 'transformer') fail('model', "'hrm' or 'transformer'");
  if (arch.model === 'transformer' && arch.halt_max_steps !== 1)
    fail('halt_max_steps', "1 for arch.model 'transformer', which thinks once");
  if (!(arch.halt_exploration_prob >= 0 && arch.halt_exploration_prob <= 1)) {
    fail('halt_exploration_prob', 'from 0 to 1');
  }
  return arch;
}

/** @throws UserError when the sequences of a model are longer than any of its tasks */
export function checkPositions(config: ModelConfig): void {
  const positions = puzzlePositions(config) + config.seq_len;
  if (positions <= MOST_POSITIONS) return;
  throw new UserError(
    `seq_len ${config.seq_len}: with the puzzle's own there would be ${positions} positions, at most ${MOST_POSITIONS} are allowed`,
  );
}

const RATES = [
  'lr',
  'lr_min_ratio',
  'lr_warmup_steps',
  'weight_decay',
  'puzzle_emb_lr',
  'puzzle_emb_weight_decay',
] as const;

/** @throws UserError when the values do not make a training run */
export function checkTrain(train: TrainConfig, file: string): TrainConfig {
  const fail = (key: keyof TrainConfig, expected: string): never => {
    throw new UserError(`${file}: ${key} must be ${expected}, got ${train[key]}`);
  };
  for (const key of ['global_batch_size', 'epochs', 'eval_interval'] as const) {
    if (!Number.isSafeInteger(train[key]) || train[key] < 1) fail(key, 'a whole number of at least 1');
  }
  if (train.global_batch_size > LARGEST) fail('global_batch_size', `at most ${LARGEST}`);
  for (const key of RATES) {
    if (!(train[key] >= 0)) fail(key, 'at least 0');
  }
  for (const key of ['beta1', 'beta2', 'ema_rate'] as const) {
    if (!(train[key] >= 0 && train[key] < 1)) fail(key, 'at least 0 and below 1');
  }
  if (!Number.isSafeInteger(train.seed) || train.seed < 0) fail('seed', 'a whole number of at least 0');
  return train;
}
