import { UserError } from '@hrm-webgpu/core';
import { readTextFile } from '../../formats/files/file-source.node.ts';
import { parseYaml, type YamlMap } from '../../formats/yaml/yaml.ts';
import { type AllConfig, DEFAULT_ARCH, DEFAULT_TRAIN } from '../../model/config.ts';
import { checkArch, checkTrain } from '../../model/config-checks.ts';
import { evaluatesAtEnd, overlay, overlayTrain, parseAllConfig } from '../../model/parse-config.ts';
import { preset } from '../../training/presets.ts';

/** Where a configuration comes from; the later overrides the earlier. */
export interface ConfigOptions {
  preset?: string;
  /** Path of an all_config.yaml. */
  config?: string;
  /** KEY=VALUE with published keys. */
  set?: readonly string[];
}

/**
 * The configuration of a run; the published defaults where nothing else is said.
 *
 * @throws UserError for a file that cannot be read, an unknown preset or key, or a bad value
 */
export async function configFrom({
  preset: name,
  config: path,
  set = [],
}: ConfigOptions): Promise<AllConfig> {
  const base = name ? preset(name) : { arch: DEFAULT_ARCH, train: DEFAULT_TRAIN };
  if (!path) return applySettings(base, set);
  const value = parseYaml(await readTextFile(path), path);
  const config = parseAllConfig(value, path, base);
  // An interval that the file leaves to the epochs follows them where a setting changes them.
  return applySettings(config, evaluatesAtEnd(value as YamlMap) ? ['eval_interval=null', ...set] : set);
}

/**
 * Applies `key=value` settings with published keys.
 *
 * @throws UserError for a setting of another form, an unknown key or a bad value
 */
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
    train: checkTrain(overlayTrain(train, trainValues, '--set '), '--set'),
  };
}
