import { UserError } from '@hrm-webgpu/core';
import {
  type AllConfig,
  checkArch,
  checkTrain,
  DEFAULT_ARCH,
  DEFAULT_TRAIN,
  overlay,
  parseAllConfig,
} from '../config.ts';
import { readTextFile } from '../formats/file-source.node.ts';
import { parseYaml } from '../formats/yaml.ts';
import { preset } from '../presets.ts';

/** Where a configuration comes from; the later overrides the earlier. */
export interface ConfigOptions {
  preset?: string;
  /** Path of an all_config.yaml. */
  config?: string;
  /** KEY=VALUE with published keys. */
  set?: readonly string[];
}

/** The configuration of a run; the published defaults where nothing else is said. */
export async function configFrom(options: ConfigOptions): Promise<AllConfig> {
  const base = options.preset ? preset(options.preset) : { arch: DEFAULT_ARCH, train: DEFAULT_TRAIN };
  const config = options.config ? await readAllConfig(options.config, base) : base;
  return applySettings(config, options.set ?? []);
}

/**
 * Reads an all_config.yaml.
 *
 * @param base what keys have that it lacks; default: the published defaults
 */
export async function readAllConfig(path: string, base?: AllConfig): Promise<AllConfig> {
  return parseAllConfig(parseYaml(await readTextFile(path), path), path, base);
}

/** Applies `key=value` settings with published keys. */
export function applySettings({ arch, train }: AllConfig, settings: readonly string[]): AllConfig {
  const archValues: Record<string, unknown> = {};
  const trainValues: Record<string, unknown> = {};
  for (const setting of settings) {
    const [, key, text] = setting.match(/^([^=]+)=(.*)$/) ?? [];
    if (key === undefined) throw new UserError(`--set ${setting}: expected KEY=VALUE`);
    const value = parseYaml(`value: ${text}`, `--set ${setting}`) as { value: unknown };
    if (key.startsWith('arch.')) archValues[key.replace(/^arch\.(loss\.)?/, '')] = value.value;
    else trainValues[key] = value.value;
  }
  return {
    arch: checkArch(overlay(arch, archValues, '--set arch.'), '--set'),
    train: checkTrain(overlay(train, trainValues, '--set '), '--set'),
  };
}
