import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Device, UserError } from '@hrm-webgpu/core';
import { readMetadata } from './checkpoint.ts';
import { parseAllConfig } from './config.ts';
import { fileSource, readTextFile } from './formats/file-source.node.ts';
import { openTensorFile } from './formats/open-checkpoint.ts';
import { parseYaml } from './formats/yaml.ts';
import { configOf, loadModel } from './load.ts';
import type { HrmModel } from './model.ts';

/** The files of a training run, in its folder. */
export const RUN_FILES = {
  /** Everything needed to go on. */
  latest: 'checkpoint.safetensors',
  /** The weights that did best on the split that is evaluated during training. */
  best: 'best.safetensors',
  config: 'all_config.yaml',
} as const;

/** What a folder is searched for, in this order; `checkpoint` is the published name. */
const CHECKPOINT_NAMES = [RUN_FILES.best, RUN_FILES.latest, 'checkpoint'];

/**
 * Loads the model of a checkpoint file, or of a folder with one: this project's own, or a published `checkpoint` with
 * `all_config.yaml` beside it.
 *
 * @param seqLen the sequence length, for published checkpoints that do not tell theirs
 */
export async function loadModelFile(device: Device, path: string, seqLen?: number): Promise<HrmModel> {
  const file = await openTensorFile(await fileSource(findCheckpoint(path)));
  try {
    const config = readMetadata(file)?.config ?? configOf(await readArch(file.name), file, seqLen);
    return await loadModel(device, config, file);
  } finally {
    await file.close();
  }
}

function findCheckpoint(path: string): string {
  if (!existsSync(path))
    throw new UserError(`${path}: no such file or folder; give a checkpoint or the folder of a run`);
  if (!statSync(path).isDirectory()) return path;
  const found = CHECKPOINT_NAMES.map((name) => join(path, name)).find(existsSync);
  if (found) return found;
  throw new UserError(`${path} has no checkpoint in it (looked for ${CHECKPOINT_NAMES.join(', ')})`);
}

async function readArch(checkpoint: string) {
  const path = join(dirname(checkpoint), RUN_FILES.config);
  if (!existsSync(path)) {
    throw new UserError(
      `${checkpoint} needs its ${RUN_FILES.config} beside it: it does not tell its architecture itself`,
    );
  }
  return parseAllConfig(parseYaml(await readTextFile(path), path), path).arch;
}
