import { UserError } from '@hrm-webgpu/core';
import { readTextFile } from '../../formats/files/file-source.node.ts';
import { parseYaml, type YamlMap } from '../../formats/yaml/yaml.ts';
import { type AllConfig, DEFAULT_ARCH, DEFAULT_TRAIN, type TrainConfig } from '../../model/config.ts';
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

/** What may be set otherwise when a run goes on: what no tensor and no order of the data depends on. */
const RATES: readonly (keyof TrainConfig)[] = [
  'lr',
  'lr_min_ratio',
  'lr_warmup_steps',
  'weight_decay',
  'beta1',
  'beta2',
  'puzzle_emb_lr',
  'puzzle_emb_weight_decay',
];

/**
 * The settings of a run that goes on, where some are changed.
 *
 * @returns the settings, and those of them that are others than before
 * @throws UserError for what cannot be changed any more, and as {@link applySettings}
 */
export function changedSettings(
  train: TrainConfig,
  settings: readonly string[],
): { train: TrainConfig; changes: Record<string, unknown> } {
  const changed = applySettings({ arch: DEFAULT_ARCH, train }, settings);
  const changes: Record<string, unknown> = {};
  for (const setting of settings) {
    const key = setting.slice(0, setting.indexOf('=')) as keyof TrainConfig;
    if (!RATES.includes(key))
      throw new UserError(`--set ${setting}: with --resume only ${RATES.join(', ')} can be changed`);
    if (changed.train[key] !== train[key]) changes[key] = changed.train[key];
  }
  return { train: changed.train, changes };
}

/**
 * Applies `key=value` settings with published keys.
 *
 * @throws UserError for a setting of another form, an unknown key or a bad value
 */
export function applySettings({ arch, train }: AllConfig, settings: readonly string[]): AllConfig {
  // Not by assignment: `__proto__` is no key but the prototype, and would be set in silence.
  const archValues: [string, unknown][] = [];
  const trainValues: [string, unknown][] = [];
  for (const setting of settings) {
    const [, key, text] = setting.match(/^([^=]+)=(.*)$/) ?? [];
    if (key === undefined) throw new UserError(`--set ${setting}: expected KEY=VALUE`);
    const value = parseYaml(`value: ${text}`, `--set ${setting}`) as { value: unknown };
    if (key.startsWith('arch.')) archValues.push([key.replace(/^arch\.(loss\.)?/, ''), value.value]);
    else trainValues.push([key, value.value]);
  }
  return {
    arch: checkArch(overlay(arch, Object.fromEntries(archValues), '--set arch.'), '--set'),
    train: checkTrain(overlayTrain(train, Object.fromEntries(trainValues), '--set '), '--set'),
  };
}
