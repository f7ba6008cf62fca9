/** Configurations as files have them, read and written. */

import { UserError } from '@hrm-webgpu/core';
import { didYouMean } from '../formats/closest.ts';
import { oneLine, valueText } from '../formats/quote.ts';
import type { YamlMap, YamlValue } from '../formats/yaml/yaml.ts';
import {
  type AllConfig,
  type ArchConfig,
  DEFAULT_ARCH,
  DEFAULT_TRAIN,
  type ModelConfig,
  type TrainConfig,
} from './config.ts';
import { checkArch, checkTrain } from './config-checks.ts';

/** The key of a run's own all_config.yaml that tells how many steps it has. */
export const LENGTH_KEY = 'total_steps';

/** Keys of published files that say nothing about the model or its training here. */
export const IGNORED_KEYS: readonly string[] = [
  'data_path',
  'project_name',
  'run_name',
  'checkpoint_path',
  'checkpoint_every_eval',
  'eval_save_outputs',
  LENGTH_KEY,
];

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
  const { loss_type, ...rest } = withoutDefaults(arch, DEFAULT_ARCH, ARCH_VARIANTS);
  const names = {
    name: 'hrm.hrm_act_v1@HierarchicalReasoningModel_ACTV1',
    loss: { loss_type, name: 'losses@ACTLossHead' },
  };
  return { arch: { ...rest, ...names }, ...withoutDefaults(train, DEFAULT_TRAIN, TRAIN_VARIANTS) };
}

/** Keys that the published code does not know: they are written only where they say something. */
const ARCH_VARIANTS = ['no_continue', 'gradient_cycles', 'model'] as const;
const TRAIN_VARIANTS = ['ema', 'ema_rate'] as const;

function withoutDefaults<T extends object>(values: T, defaults: T, keys: readonly (keyof T)[]): T {
  const kept = Object.entries(values).filter(
    ([key, value]) => !keys.includes(key as keyof T) || value !== defaults[key as keyof T],
  );
  return Object.fromEntries(kept) as T;
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
      throw new UserError(
        `${where}${oneLine(key)} is not a known configuration key.${didYouMean(key, Object.keys(defaults))} Known keys: ${known}`,
      );
    }
    const expected = typeof defaults[key as keyof T];
    if (typeof value !== expected || (expected === 'number' && !Number.isFinite(value))) {
      throw new UserError(`${where}${key} must be a ${expected}, got ${valueText(value)}`);
    }
    Object.assign(result, { [key]: value });
  }
  return result;
}

function expectMap(value: YamlValue, file: string, what: string): YamlMap {
  if (value && typeof value === 'object' && !Array.isArray(value)) return value;
  throw new UserError(`${file}: ${what} must be a map of keys and values`);
}
