/** What is known of an open checkpoint besides its tensors, wherever it was opened. */

import { UserError } from '@hrm-webgpu/core';
import type { Meaning } from '../data/dataset/dataset-metadata.ts';
import type { TensorFile } from '../formats/tensor-file.ts';
import type { YamlValue } from '../formats/yaml/yaml.ts';
import type { ArchConfig, ModelConfig } from '../model/config.ts';
import { type KnownConfig, knownConfigOf } from '../model/load.ts';
import { parseArch } from '../model/parse-config.ts';
import { readConfig, readMeaning } from '../training/checkpoint.ts';

/** The published name of the configuration that lies beside a checkpoint. */
export const CONFIG_FILE = 'all_config.yaml';

/** What a folder is searched for, in this order: the files of our runs, and the published name. */
export const CHECKPOINT_NAMES = ['best.safetensors', 'checkpoint.safetensors', 'checkpoint'] as const;

/** An all_config.yaml: its contents as they stand there, and what they say of the model. */
export interface ConfigFile {
  readonly path: string;
  readonly value: YamlValue;
  readonly arch: ArchConfig;
}

export interface CheckpointContext {
  /** From the metadata of this project's own files. */
  readonly config?: ModelConfig;
  /** What they say of its grids. */
  readonly meaning?: Meaning;
  /** The all_config.yaml beside the file. */
  readonly beside?: ConfigFile;
}

/** What a file says of itself: nothing where something else wrote it. */
export function ownContext(file: TensorFile): CheckpointContext {
  return { config: readConfig(file), meaning: readMeaning(file) };
}

/**
 * Reads the text of an all_config.yaml.
 *
 * @param path what messages call it
 * @throws UserError when it is damaged
 */
export async function parseConfigFile(text: string, path: string): Promise<ConfigFile> {
  const { parseYaml } = await import('../formats/yaml/yaml.ts'); // files of our own need none
  const value = parseYaml(text, path);
  return { path, value, arch: parseArch(value, path) };
}

/**
 * The configuration of a checkpoint, as far as it is known.
 * @throws UserError when there is none, or it contradicts the tensors
 */
export function knownConfig(file: TensorFile, { config, beside }: CheckpointContext): KnownConfig {
  if (config) return config;
  if (beside) return knownConfigOf(beside.arch, file);
  throw new UserError(
    `${file.name} needs its ${CONFIG_FILE} beside it (in code: as the option 'config'): it does not tell its architecture`,
  );
}
