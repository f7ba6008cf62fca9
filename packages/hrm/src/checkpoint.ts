/**
 * This project's own checkpoints: one safetensors file with the weights under their published names, and, where
 * training is to go on, the optimisers' moments (`optimizer.m.*`, `optimizer.v.*`) and the carry (`carry.*`); the
 * configuration and the position of the run stand in its metadata.
 */
import { type AdapterDescription, type Device, type Tensor, UserError } from '@hrm-webgpu/core';
import { Carry, type CarryTensors } from './carry.ts';
import {
  checkTrain,
  DEFAULT_TRAIN,
  type ModelConfig,
  overlay,
  parseModelConfig,
  type TrainConfig,
} from './config.ts';
import { encodeSafetensors, type TensorToWrite } from './formats/safetensors.ts';
import type { DType, TensorFile } from './formats/tensor-file.ts';
import { loadModel } from './load.ts';
import type { HrmModel } from './model.ts';
import { Optimizers } from './optimizers.ts';
import type { Progress, Trainer } from './trainer.ts';

/** The metadata key that says what wrote a file, and its value. */
const FORMAT = { key: 'format', value: 'hrm-webgpu/1' };

/** What the choice of kernels and of their constants follows from on a device. */
export interface TuningRecord {
  adapter: string;
  class: AdapterDescription['class'];
  subgroupMinSize: number;
}

/** What the metadata of a checkpoint hold. */
export interface CheckpointMetadata {
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

/** A checkpoint of the weights alone, as file contents. */
export function encodeModel(model: HrmModel): Promise<Uint8Array[]> {
  return encode(model.weights, { config: model.config });
}

/** A checkpoint that {@link loadTraining} goes on from, as file contents. */
export function encodeTraining(trainer: Trainer, notes: Record<string, unknown>): Promise<Uint8Array[]> {
  const tensors = new Map(trainer.model.weights);
  for (const [name, { m, v }] of trainer.optimizers.moments) {
    tensors.set(`optimizer.m.${name}`, m);
    tensors.set(`optimizer.v.${name}`, v);
  }
  for (const [name, tensor] of Object.entries(trainer.carry.current)) tensors.set(`carry.${name}`, tensor);
  return encode(tensors, {
    config: trainer.model.config,
    training: {
      train: trainer.options.train,
      progress: trainer.progress,
      tuning: tuningRecord(trainer.model.device),
      notes,
    },
  });
}

/** The record of a device. */
export function tuningRecord(device: Device): TuningRecord {
  const { class: adapterClass, subgroupMinSize } = device.adapter;
  return { adapter: adapterName(device), class: adapterClass, subgroupMinSize };
}

/** An adapter's name, with its driver where the platform tells. */
export function adapterName({ adapter }: Device): string {
  return adapter.description || `${adapter.vendor} ${adapter.architecture} ${adapter.device}`.trim();
}

async function encode(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: CheckpointMetadata,
): Promise<Uint8Array[]> {
  const entries = new Map<string, TensorToWrite>();
  for (const [name, tensor] of tensors) {
    const data = await tensor.read();
    if (!data.every(Number.isFinite)) {
      throw new UserError(
        `'${name}' holds numbers that are not finite: the weights are no longer usable, and nothing was saved over the ` +
          'last checkpoint. Lower lr (or raise lr_warmup_steps) and start again, or resume from that checkpoint.',
      );
    }
    entries.set(name, { dtype: DTYPES[tensor.dtype], shape: tensor.shape, data });
  }
  const strings = Object.entries(metadata).map(([key, value]) => [key, JSON.stringify(value)]);
  return encodeSafetensors(entries, { [FORMAT.key]: FORMAT.value, ...Object.fromEntries(strings) });
}

/** The metadata of one of our checkpoints; undefined for a file that something else wrote. */
export function readMetadata(file: TensorFile): CheckpointMetadata | undefined {
  if (file.metadata[FORMAT.key] !== FORMAT.value) return undefined;
  const parse = (text = '') => {
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw new UserError(`${file.name}: its metadata are damaged; use another checkpoint`, { cause });
    }
  };
  const { config, training } = file.metadata;
  return {
    config: parseModelConfig(parse(config) ?? {}, file.name),
    ...(training ? { training: parseTraining(parse(training), file.name) } : {}),
  };
}

/** Checks what a resumed run relies on. */
function parseTraining(value: Partial<NonNullable<CheckpointMetadata['training']>> | null, file: string) {
  const { train, progress, tuning, notes } = value ?? {};
  const { step = -1, totalSteps = -1 } = progress ?? {};
  const sound =
    train &&
    tuning &&
    notes &&
    progress?.sampler &&
    progress.exploration &&
    progress.augmentation &&
    Number.isSafeInteger(step) &&
    Number.isSafeInteger(totalSteps) &&
    step >= 0 &&
    totalSteps >= step;
  if (!sound)
    throw new UserError(`${file}: what it says of its training run is damaged; use another checkpoint`);
  return {
    train: checkTrain(overlay(DEFAULT_TRAIN, { ...train }, `${file}: `), file),
    progress,
    tuning,
    notes,
  };
}

/** Model, optimisers and carry of a checkpoint, ready for {@link Trainer.resume}. */
export async function loadTraining(device: Device, file: TensorFile, metadata: CheckpointMetadata) {
  const { config, training } = metadata;
  if (!training) {
    throw new UserError(
      `${file.name} holds weights only, no optimiser state: training cannot be resumed from it`,
    );
  }
  const model = await loadModel(device, config, file);
  const optimizers = new Optimizers(model, training.train, training.progress.step);
  for (const [name, { m, v }] of optimizers.moments) {
    m.write(await file.readF32(`optimizer.m.${name}`));
    v.write(await file.readF32(`optimizer.v.${name}`));
  }
  const fresh = Carry.fresh(model, training.train.global_batch_size);
  for (const [name, tensor] of Object.entries(fresh.current) as [keyof CarryTensors, Tensor][]) {
    tensor.write((await file.read(`carry.${name}`)) as Float32Array | Int32Array | Uint32Array);
  }
  return { model, optimizers, carry: fresh, training };
}
