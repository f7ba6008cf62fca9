/**
 * This project's own checkpoints: one safetensors file with the weights under their published names, and, where
 * training is to go on, the optimisers' moments (`optimizer.m.*`, `optimizer.v.*`), the average of the weights (`ema.*`, where
 * the run has one) and the carry (`carry.*`); the
 * configuration and the position of the run stand in its metadata.
 */
import { type Device, type HostArray, Tensor, UserError } from '@hrm-webgpu/core';
import type { Split } from '../data/dataset/dataset.ts';
import type { Meaning } from '../data/dataset/dataset-metadata.ts';
import { TASKS } from '../data/dataset/task-names.ts';
import { hasChecksums, withChecksums } from '../formats/checksums.ts';
import { crc32 } from '../formats/crc32.ts';
import type { DType } from '../formats/dtype.ts';
import { parseJson } from '../formats/json.ts';
import { faultIn, isRecord, RULES, type Rules, recordOf } from '../formats/record-rules.ts';
import { encodeSafetensors, type TensorToWrite } from '../formats/safetensors.ts';
import type { TensorFile } from '../formats/tensor-file.ts';
import type { Carry, CarryTensors } from '../model/carry.ts';
import { DEFAULT_TRAIN, type ModelConfig, type TrainConfig } from '../model/config.ts';
import { checkTrain } from '../model/config-checks.ts';
import { loadModel } from '../model/load.ts';
import type { HrmModel } from '../model/model.ts';
import { NotFiniteError } from '../model/not-finite.ts';
import { overlay, parseModelConfig } from '../model/parse-config.ts';
import { parseChoices, type TuningRecord, tuningRecord } from '../tuning/tuning.ts';
import { averageOf } from './average-of.ts';
import { freshCarries, partRows } from './micro-batches.ts';
import { Optimizers } from './optimizers.ts';
import type { Progress, TrainingState } from './steps.ts';

/** The metadata key that says what wrote a file. */
const FORMAT_KEY = 'format';
/** Files of the second form have checksums, and are damaged where they have none. */
const FORMATS = { plain: 'hrm-webgpu/1', summed: 'hrm-webgpu/2' };

/** What the metadata of a checkpoint hold. */
export interface CheckpointMetadata extends Meaning {
  config: ModelConfig;
  /** Only in checkpoints that a run can be resumed from. */
  training?: {
    train: TrainConfig;
    progress: Progress;
    /** What the choice of kernels followed from: the same bits come only with the same. */
    tuning: TuningRecord;
    /** What the caller wants back on resuming. */
    notes: Record<string, unknown>;
  };
}

const DTYPES: Record<Tensor['dtype'], DType> = { f32: 'F32', i32: 'I32', u32: 'U32' };

/**
 * A checkpoint of the weights alone, as file contents.
 *
 * @param meaning what its grids are, for who loads it
 * @throws NotFiniteError when they are not finite; the signal's reason
 */
export function encodeModel(
  model: HrmModel,
  meaning: Meaning = {},
  signal?: AbortSignal,
): Promise<Uint8Array[]> {
  return encode(
    model.stored,
    { config: model.config, task: meaning.task, symmetries: meaning.symmetries },
    signal,
  );
}

/**
 * A checkpoint that {@link loadTraining} goes on from, as file contents. The state is that of the moment of the call, whatever
 * steps are appended before it resolves: it is copied on the GPU, and takes as much memory there once more meanwhile.
 */
export function encodeTraining(
  trainer: TrainingState & { options: { train: TrainConfig; split: Split }; progress: Progress },
  notes: Record<string, unknown>,
  signal?: AbortSignal,
): Promise<Uint8Array[]> {
  const tensors = new Map<string, Tensor | readonly Tensor[]>(trainer.model.stored);
  for (const [name, { m, v }] of trainer.optimizers.moments) {
    tensors.set(`optimizer.m.${name}`, m);
    tensors.set(`optimizer.v.${name}`, v);
  }
  for (const [name, tensor] of trainer.average?.stored ?? []) tensors.set(name, tensor);
  for (const name of carryNames(trainer.carries)) {
    tensors.set(`carry.${name}`, rowsOf(trainer.carries, name));
  }
  const training = {
    train: trainer.options.train,
    progress: trainer.progress,
    tuning: tuningRecord(trainer.model.device),
    notes,
  };
  const { task, symmetries } = trainer.options.split.metadata;
  return encode(tensors, { config: trainer.model.config, task, symmetries, training }, signal);
}

const carryNames = ([first]: readonly Carry[]) => Object.keys(first.current) as (keyof CarryTensors)[];

/** The tensors that hold the rows of a batch, in order. */
const rowsOf = (carries: readonly Carry[], name: keyof CarryTensors) =>
  carries.map(({ current }) => current[name]);

/** @param tensors one tensor each, or several that make one along their first extent */
async function encode(
  tensors: ReadonlyMap<string, Tensor | readonly Tensor[]>,
  metadata: CheckpointMetadata,
  signal: AbortSignal | undefined,
): Promise<Uint8Array[]> {
  const named = [...tensors].map(
    ([name, value]) => [name, value instanceof Tensor ? [value] : value] as const,
  );
  // All are asked for before anything else can be appended: they are of one moment.
  const contents = await Promise.all(named.map(([, parts]) => Promise.all(parts.map((part) => part.read()))));
  const entries = new Map<string, TensorToWrite>();
  const crcs = new Map<string, number>();
  let turn = performance.now();
  for (const [i, [name, parts]] of named.entries()) {
    if (performance.now() - turn > TURN_MS) {
      await new Promise((resolve) => setTimeout(resolve)); // whoever trains meanwhile
      turn = performance.now();
    }
    signal?.throwIfAborted();
    const data = joined(contents[i]);
    if (!data.every(Number.isFinite))
      throw new NotFiniteError(
        `'${name}' holds numbers that are not finite: the weights are no longer usable.`,
      );
    const [{ dtype, shape }] = parts;
    const extent = parts.reduce((sum, part) => sum + part.shape[0], 0);
    entries.set(name, { dtype: DTYPES[dtype], shape: [extent, ...shape.slice(1)], data });
    crcs.set(name, crc32(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)));
  }
  return encodeSafetensors(entries, summedMetadata(formatMetadata(metadata), crcs));
}

/** How long others wait for their turn while a state is encoded. */
const TURN_MS = 8;

/** Arrays of one type, one after the other. */
function joined(arrays: readonly HostArray[]): HostArray {
  const [first] = arrays;
  if (arrays.length === 1) return first;
  const length = arrays.reduce((sum, part) => sum + part.length, 0);
  const all = new (first.constructor as new (length: number) => HostArray)(length);
  let at = 0;
  for (const part of arrays) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Metadata as a safetensors file carries them; {@link readMetadata} reads them. */
export function formatMetadata(metadata: CheckpointMetadata): Record<string, string> {
  const strings = Object.entries(metadata)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => [key, JSON.stringify(value)]);
  return { [FORMAT_KEY]: FORMATS.plain, ...Object.fromEntries(strings) };
}

/** Metadata of {@link formatMetadata} for a file that has checksums of its tensors. */
export function summedMetadata(
  metadata: Readonly<Record<string, string>>,
  tensors: ReadonlyMap<string, number>,
): Record<string, string> {
  return withChecksums({ ...metadata, [FORMAT_KEY]: FORMATS.summed }, tensors);
}

/** The configuration in one of our checkpoints; undefined for a file that something else wrote. */
export function readConfig(file: TensorFile): ModelConfig | undefined {
  return isOwn(file) ? parseModelConfig(parseEntry(file, 'config') ?? {}, file.name) : undefined;
}

/** @throws UserError for a file that has lost its checksums */
function isOwn({ metadata, name }: TensorFile): boolean {
  const format = metadata[FORMAT_KEY];
  if (format === FORMATS.summed && !hasChecksums(metadata))
    throw new UserError(
      `${name}: its checksums are missing: its metadata are damaged; use another checkpoint`,
    );
  return format === FORMATS.summed || format === FORMATS.plain;
}

/**
 * What one of our checkpoints says of the grids that it was trained on; nothing for a file that something else wrote. The
 * symmetries are as they stand there: who guesses with them checks them.
 */
export function readMeaning(file: TensorFile): Meaning {
  if (!isOwn(file)) return {};
  const entry = (key: string) => (file.metadata[key] === undefined ? undefined : parseEntry(file, key));
  const [task, symmetries] = [entry('task'), entry('symmetries')];
  if (task === undefined || TASKS.includes(task)) return { task, symmetries };
  throw new UserError(`${file.name}: its task is none of ${TASKS.join(', ')}; use another checkpoint`);
}

/** All metadata of one of our checkpoints; undefined for a file that something else wrote. */
export function readMetadata(file: TensorFile): CheckpointMetadata | undefined {
  const config = readConfig(file);
  if (!config) return undefined;
  const weights = { config, ...readMeaning(file) };
  if (!file.metadata.training) return weights;
  return { ...weights, training: parseTraining(parseEntry(file, 'training'), file.name) };
}

function parseEntry({ metadata, name }: TensorFile, key: string) {
  try {
    return parseJson(metadata[key] ?? '');
  } catch (cause) {
    throw new UserError(`${name}: its metadata are damaged; use another checkpoint`, { cause });
  }
}

const PHILOX = recordOf({ seed: RULES.count, stream: RULES.count, position: RULES.count });

const PROGRESS = recordOf({
  step: RULES.count,
  totalSteps: RULES.count,
  // Whether the data have such a position is known when they are there.
  sampler: recordOf({ iteration: RULES.count, set: RULES.count, visit: RULES.count, picks: RULES.count }),
  augmentation: PHILOX,
});

const TRAINING: Rules<keyof NonNullable<CheckpointMetadata['training']>> = {
  train: ['an object', isRecord],
  progress: PROGRESS,
  tuning: recordOf({
    adapter: RULES.text,
    class: RULES.text,
    subgroupMinSize: RULES.count,
    choices: ['an object', isRecord],
  }),
  notes: ['an object', isRecord],
};

/** Checks what a resumed run relies on. */
function parseTraining(value: unknown, file: string): NonNullable<CheckpointMetadata['training']> {
  const fail = (fault: string) =>
    new UserError(`${file}: what it says of its training run is damaged (${fault}); use another checkpoint`);
  if (!isRecord(value)) throw fail('it is no object');
  const fault = faultIn(value, TRAINING);
  if (fault) throw fail(fault);
  const { train, progress, tuning, notes } = value as unknown as NonNullable<CheckpointMetadata['training']>;
  if (progress.step > progress.totalSteps) throw fail(`step ${progress.step} of ${progress.totalSteps}`);
  return {
    train: checkTrain(overlay(DEFAULT_TRAIN, { ...train }, `${file}: `), file),
    progress,
    tuning: { ...tuning, choices: parseChoices(tuning.choices, `${file}: the tuning record`) },
    notes,
  };
}

/**
 * Model, optimisers and carry of a checkpoint, ready for {@link Trainer.resume}.
 *
 * @param microBatch rows of a part, see {@link StepOptions}: a checkpoint does not depend on how its batch was cut
 * @throws UserError when there is no training state in it, or something is missing; the signal's reason when aborted
 */
export async function loadTraining(
  device: Device,
  file: TensorFile,
  { config, training }: CheckpointMetadata,
  { microBatch, signal }: { microBatch?: number; signal?: AbortSignal } = {},
) {
  if (!training) {
    throw new UserError(
      `${file.name} holds weights only, no optimiser state: training cannot be resumed from it`,
    );
  }
  const model = await loadModel(device, config, file, { signal });
  const optimizers = new Optimizers(model, training.train, training.progress.step);
  for (const [name, { m, v }] of optimizers.moments) {
    signal?.throwIfAborted();
    await m.writePieces(file.piecesF32(`optimizer.m.${name}`));
    await v.writePieces(file.piecesF32(`optimizer.v.${name}`));
  }
  const { global_batch_size } = training.train;
  const carries = freshCarries(model, global_batch_size, partRows(global_batch_size, microBatch));
  for (const name of carryNames(carries)) {
    const data = (await file.read(`carry.${name}`)) as HostArray;
    const length = data.length / carries.length;
    for (const [i, tensor] of rowsOf(carries, name).entries()) {
      tensor.write(data.subarray(i * length, (i + 1) * length));
    }
  }
  const average = await averageOf(model, training.train, file);
  return { model, optimizers, carries, average, training };
}
