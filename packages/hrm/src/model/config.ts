import { UserError } from '@hrm-webgpu/core';
import type { LossType } from '@hrm-webgpu/kernels';
import type { YamlMap, YamlValue } from '../formats/yaml/yaml.ts';

/** The published `arch` keys. */
export interface ArchConfig {
  hidden_size: number;
  num_heads: number;
  expansion: number;
  H_layers: number;
  L_layers: number;
  H_cycles: number;
  L_cycles: number;
  pos_encodings: 'rope' | 'learned';
  rope_theta: number;
  rms_norm_eps: number;
  puzzle_emb_ndim: number;
  halt_max_steps: number;
  halt_exploration_prob: number;
  /** What the published code computes in; this engine computes in f32 and keeps the key. */
  forward_dtype: string;
  /** `arch.loss.loss_type` */
  loss_type: LossType;
}

/** An architecture together with what the data decide. */
export interface ModelConfig extends ArchConfig {
  vocab_size: number;
  seq_len: number;
  num_puzzle_identifiers: number;
}

/** The published training keys. */
export interface TrainConfig {
  global_batch_size: number;
  epochs: number;
  eval_interval: number;
  lr: number;
  lr_min_ratio: number;
  lr_warmup_steps: number;
  weight_decay: number;
  beta1: number;
  beta2: number;
  puzzle_emb_lr: number;
  puzzle_emb_weight_decay: number;
  seed: number;
}

/** The published full-size architecture (27 M parameters). */
export const DEFAULT_ARCH: ArchConfig = {
  hidden_size: 512,
  num_heads: 8,
  expansion: 4,
  H_layers: 4,
  L_layers: 4,
  H_cycles: 2,
  L_cycles: 2,
  pos_encodings: 'rope',
  rope_theta: 10000,
  rms_norm_eps: 1e-5,
  puzzle_emb_ndim: 512,
  halt_max_steps: 16,
  halt_exploration_prob: 0.1,
  forward_dtype: 'float32',
  loss_type: 'stablemax_cross_entropy',
};

/** The published training defaults (those of the ARC recipes). */
export const DEFAULT_TRAIN: TrainConfig = {
  global_batch_size: 768,
  epochs: 100000,
  eval_interval: 10000,
  lr: 1e-4,
  lr_min_ratio: 1,
  lr_warmup_steps: 2000,
  weight_decay: 0.1,
  beta1: 0.9,
  beta2: 0.95,
  puzzle_emb_lr: 1e-2,
  puzzle_emb_weight_decay: 0.1,
  seed: 0,
};

/** Keys of published files that say nothing about the model or its training here. */
export const IGNORED_KEYS: readonly string[] = [
  'data_path',
  'project_name',
  'run_name',
  'checkpoint_path',
  'checkpoint_every_eval',
  'eval_save_outputs',
];

/** A published `all_config.yaml`, or parts of one: keys that it lacks keep their defaults. */
export interface AllConfig {
  arch: ArchConfig;
  train: TrainConfig;
}

/**
 * Reads the contents of an `all_config.yaml`.
 *
 * @param base what keys have that it lacks; `eval_interval` goes with `epochs`, see `evaluatesAtEnd`
 * @throws UserError naming the first unknown key or bad value
 */
export function parseAllConfig(
  value: YamlValue,
  file: string,
  base: AllConfig = { arch: DEFAULT_ARCH, train: DEFAULT_TRAIN },
): AllConfig {
  const { arch: _arch, ...rest } = expectMap(value, file, 'the file');
  const trainKeys = Object.fromEntries(Object.entries(rest).filter(([key]) => !IGNORED_KEYS.includes(key)));
  return {
    arch: parseArch(value, file, base.arch),
    train: checkTrain(
      overlayTrain(
        base.train,
        evaluatesAtEnd(rest) ? { ...trainKeys, eval_interval: null } : trainKeys,
        `${file}: `,
      ),
      file,
    ),
  };
}

/**
 * Reads what an `all_config.yaml` says of the model.
 *
 * @param base what keys have that it lacks
 * @throws UserError naming the first unknown key or bad value
 */
export function parseArch(value: YamlValue, file: string, base = DEFAULT_ARCH): ArchConfig {
  const { arch = {} } = expectMap(value, file, 'the file');
  const { loss: lossValue = {}, name: _name, ...rest } = expectMap(arch, file, 'arch');
  const { name: _lossName, ...loss } = expectMap(lossValue, file, 'arch.loss');
  return checkArch(overlay(base, { ...rest, ...loss }, `${file}: arch.`), file);
}

/**
 * Whether the keys of an `all_config.yaml` leave `eval_interval` to `epochs`: there it is optional, and null.
 *
 * A file without `epochs` is no whole configuration of a run, and leaves both as they are.
 */
export function evaluatesAtEnd({ epochs, eval_interval }: YamlMap): boolean {
  return eval_interval === null || (eval_interval === undefined && epochs !== undefined);
}

/** {@link overlay} for training keys: a null `eval_interval` means as many as `epochs`, as published. */
export function overlayTrain(
  base: TrainConfig,
  values: Readonly<Record<string, unknown>>,
  where: string,
): TrainConfig {
  const { eval_interval, ...others } = values;
  if (eval_interval !== null) return overlay(base, values, where);
  const train = overlay(base, others, where);
  return { ...train, eval_interval: train.epochs };
}

/**
 * Checks the plain object of a {@link ModelConfig}, as checkpoints and fixtures store it.
 *
 * @throws UserError naming the first unknown key or bad value
 */
export function parseModelConfig(value: Readonly<Record<string, unknown>>, file: string): ModelConfig {
  const data = { vocab_size: 0, seq_len: 0, num_puzzle_identifiers: 1 };
  const config = overlay({ ...DEFAULT_ARCH, ...data }, value, `${file}: `);
  for (const key of ['vocab_size', 'seq_len', 'num_puzzle_identifiers'] as const) {
    const unused = key === 'num_puzzle_identifiers' && config.puzzle_emb_ndim === 0;
    if (unused || (Number.isInteger(config[key]) && config[key] >= 1)) continue;
    throw new UserError(`${file}: ${key} must be a whole number of at least 1, got ${config[key]}`);
  }
  checkArch(config, file);
  return config;
}

/** The contents of an `all_config.yaml`, as the published code writes it. */
export function formatAllConfig({ arch, train }: AllConfig): YamlMap {
  const { loss_type, ...rest } = arch;
  const names = {
    name: 'hrm.hrm_act_v1@HierarchicalReasoningModel_ACTV1',
    loss: { loss_type, name: 'losses@ACTLossHead' },
  };
  return { arch: { ...rest, ...names }, ...train };
}

/** Copies `values` over `defaults`; every key must exist there and have the same type. */
export function overlay<T extends object>(
  defaults: T,
  values: Readonly<Record<string, unknown>>,
  where: string,
): T {
  const result = { ...defaults };
  for (const [key, value] of Object.entries(values)) {
    if (!Object.hasOwn(defaults, key)) {
      const known = Object.keys(defaults).join(', ');
      throw new UserError(`${where}${key} is not a known configuration key. Known keys: ${known}`);
    }
    const expected = typeof defaults[key as keyof T];
    if (typeof value !== expected || (expected === 'number' && !Number.isFinite(value))) {
      throw new UserError(`${where}${key} must be a ${expected}, got ${JSON.stringify(value)}`);
    }
    Object.assign(result, { [key]: value });
  }
  return result;
}

function expectMap(value: YamlValue, file: string, what: string): YamlMap {
  if (value && typeof value === 'object' && !Array.isArray(value)) return value;
  throw new UserError(`${file}: ${what} must be a map of keys and values`);
}

/** Far above any model: sizes beyond it are slips of the keyboard. */
const LARGEST = 1_000_000;

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
    throw new UserError(`${file}: arch.${key} must be ${expected}, got ${JSON.stringify(arch[key])}`);
  };
  for (const key of POSITIVE_INTEGERS) {
    if (!Number.isInteger(arch[key]) || arch[key] < 1 || arch[key] > LARGEST) {
      fail(key, `a whole number from 1 to ${LARGEST}`);
    }
  }
  if (!Number.isInteger(arch.puzzle_emb_ndim) || arch.puzzle_emb_ndim < 0) {
    fail('puzzle_emb_ndim', 'a whole number of at least 0');
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
  if (!(arch.halt_exploration_prob >= 0 && arch.halt_exploration_prob <= 1)) {
    fail('halt_exploration_prob', 'from 0 to 1');
  }
  return arch;
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
  for (const key of ['beta1', 'beta2'] as const) {
    if (!(train[key] >= 0 && train[key] < 1)) fail(key, 'at least 0 and below 1');
  }
  if (!Number.isSafeInteger(train.seed) || train.seed < 0) fail('seed', 'a whole number of at least 0');
  return train;
}

/** P, the positions that the puzzle embedding takes in front of the tokens. */
export function puzzlePositions({ puzzle_emb_ndim, hidden_size }: ArchConfig): number {
  return Math.ceil(puzzle_emb_ndim / hidden_size);
}

/** Width of the SwiGLU: expansion·D·2/3 rounded (halves to even, as Python does), up to a multiple of 256. */
export function swigluWidth({ hidden_size, expansion }: ArchConfig): number {
  return Math.ceil(roundHalfToEven((expansion * hidden_size * 2) / 3) / 256) * 256;
}

function roundHalfToEven(x: number): number {
  const floor = Math.floor(x);
  if (x - floor !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}
