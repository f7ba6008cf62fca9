/** What {@link HRM.load} accepts as a checkpoint and as a device, opened. */

import { Device, DeviceLostError, openDevice, wrapDevice } from '@hrm-webgpu/core';
import { openNamed } from '#open-named';
import { knownConfig, ownContext, parseConfigFile } from '../checkpoints/checkpoint-context.ts';
import type { OpenCheckpoint, OpenOptions } from '../checkpoints/open-url.ts';
import { expectSameArchitecture } from '../checkpoints/same-architecture.ts';
import { blobSource, bytesSource } from '../formats/files/byte-source.ts';
import { openTensorFile } from '../formats/open-checkpoint.ts';
import { elementCount, type TensorFile } from '../formats/tensor-file.ts';
import type { YamlMap } from '../formats/yaml/yaml.ts';
import type { ModelConfig } from '../model/config.ts';
import { checkLayers, knownConfigOf, type LoadOptions, loadModel, withSeqLen } from '../model/load.ts';
import type { HrmModel } from '../model/model.ts';
import { PUZZLE_ROWS, parameterShapes } from '../model/parameters.ts';
import { parseArch } from '../model/parse-config.ts';
import { ARC_SEQ_LEN, type Task, usualSeqLen } from '../tasks/tasks.ts';

/**
 * A checkpoint: a URL or, in Node, a path (of a file, or of a folder with one); a `Blob` or `File`; its bytes; or an
 * open file, which stays open.
 */
export type CheckpointSource = string | URL | Blob | ArrayBuffer | Uint8Array | TensorFile;

export interface ConfigOptions {
  /** The contents of its all_config.yaml, as text or parsed: for published checkpoints without one beside them. */
  config?: string | YamlMap;
  /** S, or S for a vocabulary: for published checkpoints with RoPE, which do not tell theirs. */
  seqLen?: number | ((vocabSize: number) => number);
  task?: Task;
}

/** @throws UserError when there is no checkpoint, or another kind of file */
async function openSource(source: CheckpointSource, options: OpenOptions): Promise<OpenCheckpoint> {
  if (typeof source === 'string' || source instanceof URL) return openNamed(source, options);
  const file = await openUnnamed(source);
  try {
    return { file, context: ownContext(file), downloaded: false };
  } catch (error) {
    if (file !== source) await file.close();
    throw error;
  }
}

/** Opens all of them or none. */
export async function openSources(
  sources: readonly CheckpointSource[],
  options: OpenOptions,
): Promise<OpenCheckpoint[]> {
  const opened: OpenCheckpoint[] = [];
  try {
    for (const source of sources) opened.push(await openSource(source, options));
    return opened;
  } catch (error) {
    await closeSources(opened, sources);
    throw error;
  }
}

/** Closes what {@link openSources} opened; files that were open before stay so. */
export async function closeSources(
  opened: readonly OpenCheckpoint[],
  sources: readonly CheckpointSource[],
): Promise<void> {
  for (const [i, { file }] of opened.entries()) if (file !== sources[i]) await file.close();
}

async function openUnnamed(source: Exclude<CheckpointSource, string | URL>): Promise<TensorFile> {
  if (source instanceof Blob) {
    const name = 'name' in source ? String(source.name) : 'the checkpoint';
    return openTensorFile(blobSource(source, name));
  }
  if (source instanceof ArrayBuffer) return openUnnamed(new Uint8Array(source));
  if (source instanceof Uint8Array) return openTensorFile(bytesSource(source, 'the checkpoint'));
  return source;
}

/**
 * The configuration of an open checkpoint.
 * @throws UserError when something of it is not known, or contradicts the tensors
 */
async function configOfSource(
  { file, context }: OpenCheckpoint,
  { config, seqLen, task }: ConfigOptions,
): Promise<ModelConfig> {
  const known = config === undefined ? knownConfig(file, context) : knownConfigOf(await archOf(config), file);
  const given = typeof seqLen === 'function' ? seqLen(known.vocab_size) : seqLen;
  const derived = task === 'arc' ? ARC_SEQ_LEN : usualSeqLen(known.vocab_size);
  return withSeqLen(known, file, given ?? derived);
}

/**
 * The configuration of checkpoints that guess together.
 *
 * @throws UserError naming the first of them that has another, and as {@link configOfSource} does
 */
export async function commonConfig(
  opened: readonly OpenCheckpoint[],
  options: ConfigOptions,
): Promise<ModelConfig> {
  const configs = await Promise.all(opened.map((one) => configOfSource(one, options)));
  return expectSameArchitecture(configs.map((config, i) => ({ name: opened[i].file.name, config })));
}

async function archOf(config: string | YamlMap) {
  const name = "the option 'config'";
  return typeof config === 'string' ? (await parseConfigFile(config, name)).arch : parseArch(config, name);
}

/** Words that {@link watched} leaves out between two that it looks at: other weights differ everywhere. */
const MARK_EVERY = 61;

/** The file, where reading the weights of a model tells how far it is, and leaves a mark of them. */
function watched(
  file: TensorFile,
  config: ModelConfig,
  { trunkOnly, onProgress }: OpenOptions & LoadOptions,
): { file: TensorFile; mark: () => number } {
  checkLayers(file, config);
  const names = [...parameterShapes(config).keys()].filter((name) => !(trunkOnly && name === PUZZLE_ROWS));
  const sizes = names.map((name) => (file.names.includes(name) ? elementCount(file.info(name).shape) : 0));
  const total = 4 * sizes.reduce((sum, size) => sum + size, 0);
  let bytes = 0;
  let mark = 0;
  const piecesF32: TensorFile['piecesF32'] = async function* (name) {
    for await (const piece of file.piecesF32(name)) {
      const words = new Uint32Array(piece.buffer, piece.byteOffset, piece.length);
      for (let i = 0; i < words.length; i += MARK_EVERY) mark = Math.imul(mark ^ words[i], 0x01000193);
      yield piece;
      bytes += piece.byteLength;
      onProgress?.(bytes, total);
    }
  };
  return { file: { ...file, piecesF32 }, mark: () => mark };
}

/** What {@link loadWeights} loaded, and the marks of their weights. */
export interface Loaded {
  models: HrmModel[];
  marks: number[];
}

/** The weights of several open checkpoints of one configuration. */
export async function loadWeights(
  device: Device,
  opened: readonly OpenCheckpoint[],
  config: ModelConfig,
  options: OpenOptions & LoadOptions,
): Promise<Loaded> {
  const { trunkOnly, signal, onProgress } = options;
  const loaded: Loaded = { models: [], marks: [] };
  try {
    for (const { file, downloaded } of opened) {
      const weights = watched(file, config, { trunkOnly, onProgress: downloaded ? undefined : onProgress });
      loaded.models.push(await loadModel(device, config, weights.file, { trunkOnly, signal }));
      loaded.marks.push(weights.mark());
    }
    return loaded;
  } catch (error) {
    for (const model of loaded.models) model.dispose();
    throw error;
  }
}

/**
 * The weights of sources again, after a loss.
 *
 * @throws DeviceLostError when one cannot be read any more, or holds something else now
 */
export async function reloadModels(
  device: Device,
  sources: readonly CheckpointSource[],
  trunkOnly: boolean | undefined,
  before: { config: ModelConfig; marks: readonly number[] },
): Promise<HrmModel[]> {
  const fail = (why: string, cause?: unknown) =>
    new DeviceLostError(`The GPU device was lost, and the weights with it: ${why}. Load the model again.`, {
      cause,
    });
  const opened = await openSources(sources, {}).catch((cause) => {
    throw fail(cause.message, cause);
  });
  try {
    const { models, marks } = await loadWeights(device, opened, before.config, { trunkOnly });
    const other = marks.findIndex((mark, i) => mark !== before.marks[i]);
    if (other >= 0) throw fail(`${opened[other].file.name} holds others now`);
    return models;
  } finally {
    await closeSources(opened, sources);
  }
}

/** A device to compute on, and what frees it unless it is the caller's. */
export interface DeviceLease {
  device: Device;
  release(): void;
}

/** The device that the caller brought along, or this machine's. */
export async function leaseDevice(given: GPUDevice | Device | undefined): Promise<DeviceLease> {
  if (given instanceof Device) return { device: given, release: () => {} };
  const device = given ? wrapDevice(given) : await openDevice();
  return { device, release: () => device.close() };
}
