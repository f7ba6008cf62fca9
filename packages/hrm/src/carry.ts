import { type Device, type DType, Tensor } from '@hrm-webgpu/core';
import { launch, selectRows } from '@hrm-webgpu/kernels';
import type { Batch } from './data/sampler.ts';
import type { HrmModel, ModelInput, State } from './model.ts';

/** Rows of data on the device, i32: what a segment reads, and its labels (−100 ignored). */
export interface DeviceBatch extends ModelInput {
  /** [batch, seq_len] */
  labels: Tensor;
}

/** Uploads a batch. */
export function uploadBatch(device: Device, { inputs, labels, puzzleIdentifiers }: Batch): DeviceBatch {
  const batch = puzzleIdentifiers.length;
  const shape = [batch, inputs.length / batch];
  return {
    inputs: Tensor.from(device, inputs, shape),
    labels: Tensor.from(device, labels, shape),
    puzzle_identifiers: Tensor.from(device, puzzleIdentifiers, [batch]),
  };
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
    private tensors: CarryTensors,
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
    const { device } = model;
    const replace = (name: keyof DeviceBatch | keyof State, replacement: Tensor) => {
      const old = tensors[name];
      const rows = this.batch;
      const length = old.size / rows;
      const broadcast = replacement.size < old.size;
      const params = {
        batch: rows,
        length,
        a_row: broadcast ? 0 : length,
        a_period: broadcast ? replacement.size : length,
      };
      const y = device.unscoped(() => Tensor.empty(device, old.shape, old.dtype));
      launch(device, selectRows, { chosen: tensors.halted, a: replacement, b: old, y }, params);
      old.dispose();
      tensors[name] = y;
    };
    replace('z_H', model.weight('H_init'));
    replace('z_L', model.weight('L_init'));
    replace('inputs', batch.inputs);
    replace('labels', batch.labels);
    replace('puzzle_identifiers', batch.puzzle_identifiers);
  }

  /** The states after a segment, detached: no gradient flows from one call to the next. */
  advance({ z_H, z_L }: State): void {
    const { device } = this.model;
    this.tensors.z_H.dispose();
    this.tensors.z_L.dispose();
    this.tensors.z_H = device.unscoped(() => z_H.detach());
    this.tensors.z_L = device.unscoped(() => z_L.detach());
  }

  dispose(): void {
    for (const tensor of Object.values(this.tensors) as Tensor[]) tensor.dispose();
  }
}
