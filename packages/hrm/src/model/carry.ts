import { type DType, Tensor } from '@hrm-webgpu/core';
import { launch, selectRowsKernel } from '@hrm-webgpu/kernels';
import type { Batch } from '../data/dataset/sampler.ts';
import type { HrmModel, ModelInput, State } from './model.ts';

/** Rows of data on the device, i32: what a segment reads, and its labels (−100 ignored). */
export interface DeviceBatch extends ModelInput {
  /** [batch, seq_len] */
  labels: Tensor;
}

/** Room for a batch of so many rows. */
export function emptyBatch({ device, config }: HrmModel, batch: number): DeviceBatch {
  return {
    inputs: Tensor.empty(device, [batch, config.seq_len], 'i32'),
    labels: Tensor.empty(device, [batch, config.seq_len], 'i32'),
    puzzle_identifiers: Tensor.empty(device, [batch], 'i32'),
  };
}

/** Replaces the rows of a batch. */
export function writeBatch(target: DeviceBatch, { inputs, labels, puzzleIdentifiers }: Batch): void {
  target.inputs.write(inputs);
  target.labels.write(labels);
  target.puzzle_identifiers.write(puzzleIdentifiers);
}

/** Uploads a batch. */
export function uploadBatch(model: HrmModel, batch: Batch): DeviceBatch {
  const target = emptyBatch(model, batch.puzzleIdentifiers.length);
  writeBatch(target, batch);
  return target;
}

/** The tensors of a carry, by the names they have in checkpoints. */
export interface CarryTensors extends State, DeviceBatch {
  /** [batch] u32 */
  steps: Tensor;
  /** [batch] u32, 0 or 1 */
  halted: Tensor;
}

/**
 * What passes from one call to the next: the states, each row's step count and whether it has halted, and the data
 * that it is working on. In a fresh carry all rows are halted, so that the first call replaces everything.
 */
export class Carry {
  private constructor(
    readonly model: HrmModel,
    private readonly tensors: CarryTensors,
  ) {}

  static fresh(model: HrmModel, batch: number): Carry {
    const { device, positions, config } = model;
    const zeros = (shape: number[], dtype: DType = 'f32') => {
      const tensor = Tensor.empty(device, shape, dtype);
      tensor.write(dtype === 'f32' ? new Float32Array(tensor.size) : new Int32Array(tensor.size));
      return tensor;
    };
    const integers = (shape: number[]) => zeros(shape, 'i32');
    return new Carry(model, {
      z_H: zeros([batch, positions, config.hidden_size]),
      z_L: zeros([batch, positions, config.hidden_size]),
      steps: Tensor.from(device, new Uint32Array(batch)),
      halted: Tensor.from(device, new Uint32Array(batch).fill(1)),
      inputs: integers([batch, config.seq_len]),
      labels: integers([batch, config.seq_len]),
      puzzle_identifiers: integers([batch]),
    });
  }

  get current(): Readonly<CarryTensors> {
    return this.tensors;
  }

  get batch(): number {
    return this.tensors.halted.shape[0];
  }

  /** Halted rows start anew: the states from `H_init` and `L_init`, the data from this batch's row. */
  refill(batch: DeviceBatch): void {
    const { tensors, model } = this;
    const replace = (name: keyof DeviceBatch | keyof State, replacement: Tensor) => {
      const y = tensors[name];
      const length = y.size / this.batch;
      const broadcast = replacement.size < y.size;
      const params = {
        batch: this.batch,
        length,
        a_row: broadcast ? 0 : length,
        a_period: broadcast ? replacement.size : length,
      };
      launch(model.device, selectRowsKernel, { chosen: tensors.halted, a: replacement, y }, params);
    };
    replace('z_H', model.weight('H_init'));
    replace('z_L', model.weight('L_init'));
    replace('inputs', batch.inputs);
    replace('labels', batch.labels);
    replace('puzzle_identifiers', batch.puzzle_identifiers);
  }

  /**
   * Takes over the states after a segment, without their history: no gradient flows from one call to the next. Nothing
   * that the tape keeps shares memory with a carry, since a segment's first act is to add to its states.
   */
  advance({ z_H, z_L }: State): void {
    this.tensors.z_H.assign(z_H);
    this.tensors.z_L.assign(z_L);
  }

  /** All rows start anew in the next call. */
  restart(): void {
    this.tensors.halted.write(new Uint32Array(this.batch).fill(1));
  }

  dispose(): void {
    for (const tensor of Object.values(this.tensors) as Tensor[]) tensor.dispose();
  }
}
