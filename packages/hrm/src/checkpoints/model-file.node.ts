import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Device, UserError } from '@hrm-webgpu/core';
import { fileError } from '../formats/files/file-error.node.ts';
import { fileSource, readTextFile } from '../formats/files/file-source.node.ts';
import { openTensorFile } from '../formats/open-checkpoint.ts';
import { quoted } from '../formats/quote.ts';
import type { TensorFile } from '../formats/tensor-file.ts';
import { type LoadOptions, loadModel, withSeqLen } from '../model/load.ts';
import type { HrmModel } from '../model/model.ts';
import {
  CHECKPOINT_NAMES,
  type CheckpointContext,
  CONFIG_FILE,
  type ConfigFile,
  knownConfig,
  ownContext,
  parseConfigFile,
} from './checkpoint-context.ts';
import { expectSameArchitecture } from './same-architecture.ts';

/** The files of a training run, in its folder. */
export const RUN_FILES = {
  /** Everything needed to go on. */
  latest: CHECKPOINT_NAMES[1],
  /** The weights that did best on the split that is evaluated during training. */
  best: CHECKPOINT_NAMES[0],
  config: CONFIG_FILE,
  /** A JSON object a line for each step and evaluation. */
  log: 'log.jsonl',
  /** A JSON object a line for each time that the run was begun or gone on with: when, with what, and what was changed. */
  sessions: 'sessions.jsonl',
  /** A few examples of the evaluation, and a JSON object a line for what they were answered at each. */
  samples: 'samples.jsonl',
} as const;

/** Where a run keeps the weights of its last evaluations, `step-<n>.safetensors` each. */
export const SNAPSHOTS = 'snapshots';

/** The snapshots in the folder of a run, by step; none where there is no such folder. */
export function snapshotsIn(folder: string): string[] {
  const place = join(folder, SNAPSHOTS);
  if (!existsSync(place) || !statSync(place).isDirectory()) return [];
  return readdirSync(place)
    .filter((name) => /^step-\d+\.safetensors$/.test(name))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .map((name) => join(place, name));
}

/** What other checkpoints are called: exported ones, and those that the published code writes as it goes. */
const LIKELY_NAME = /\.safetensors$|\.pt$|^step_\d+$/;

/**
 * Loads the model of a checkpoint file, or of a folder with one: this project's own, or a published `checkpoint` with
 * `all_config.yaml` beside it.
 *
 * @param seqLen the sequence length, for published checkpoints that do not tell theirs
 */
export async function loadModelFile(
  device: Device,
  path: string,
  seqLen?: number,
  options?: LoadOptions,
): Promise<HrmModel> {
  const file = await openTensorFile(await fileSource(findCheckpoint(path)));
  try {
    const config = knownConfig(file, await readContext(file));
    return await loadModel(device, withSeqLen(config, file, seqLen), file, options);
  } finally {
    await file.close();
  }
}

/**
 * Several of them, which have one architecture.
 *
 * @throws UserError naming the first that has another
 */
export async function loadModels(
  device: Device,
  paths: readonly string[],
  seqLen?: number,
  options?: LoadOptions,
): Promise<HrmModel[]> {
  const models: HrmModel[] = [];
  for (const path of paths) {
    models.push(await loadModelFile(device, path, seqLen, options));
    expectSameArchitecture(models.map(({ config }, i) => ({ name: paths[i], config })));
  }
  return models;
}

/**
 * The checkpoint at `path`: the file itself, or the best one in a folder, or the only one.
 * @throws UserError when there is none, or it is not clear which one is meant
 */
export function findCheckpoint(path: string): string {
  if (!existsSync(path))
    throw new UserError(`${path}: no such file or folder; give a checkpoint or the folder of a run`);
  if (!statSync(path).isDirectory()) return path;
  const found = CHECKPOINT_NAMES.map((name) => join(path, name)).find(existsSync);
  if (found) return found;
  const likely = likelyCheckpoints(path);
  if (likely.length === 1) return join(path, likely[0]);
  if (likely.length > 1)
    throw new UserError(`${path} has several checkpoints in it: give one of them, ${listed(likely)}`);
  throw new UserError(
    `${path} has no checkpoint in it (looked for ${CHECKPOINT_NAMES.join(', ')}, and for a file *.safetensors, *.pt ` +
      'or step_N)',
  );
}

/** The names of the files in a folder that are called as checkpoints are, in order. */
function likelyCheckpoints(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter(
        (name) => LIKELY_NAME.test(name) && statSync(join(folder, name), { throwIfNoEntry: false })?.isFile(),
      )
      .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  } catch (cause) {
    throw fileError('cannot read', folder, cause);
  }
}

/** The first names of a list, for a message. */
function listed(names: readonly string[]): string {
  const shown = names.slice(0, 10).map(quoted).join(', ');
  return names.length > 10 ? `${shown} and ${names.length - 10} more` : shown;
}

/**
 * The contents of the all_config.yaml beside a checkpoint file; undefined where there is none.
 * @throws UserError when it cannot be read
 */
async function readConfigBeside(checkpoint: string): Promise<ConfigFile | undefined> {
  const path = join(dirname(checkpoint), RUN_FILES.config);
  if (!existsSync(path)) return undefined;
  return parseConfigFile(await readTextFile(path), path);
}

/** @throws UserError when metadata or all_config.yaml are damaged */
export async function readContext(file: TensorFile): Promise<CheckpointContext> {
  return { ...ownContext(file), beside: await readConfigBeside(file.name) };
}
