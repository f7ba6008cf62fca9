/** One optimiser step on a batch that is worked through in parts, because its activations do not fit as a whole. */
import { Tensor, UserError } from '@hrm-webgpu/core';
import { add } from '@hrm-webgpu/kernels';
import type { Batch } from '../data/dataset/sampler.ts';
import { explore, trainingCall } from '../model/act.ts';
import { Carry, type DeviceBatch, emptyBatch, writeBatch } from '../model/carry.ts';
import type { TrainConfig } from '../model/config.ts';
import type { HrmModel } from '../model/model.ts';
import type { PuzzleGradients } from './optimizers.ts';

/** What a step hands to the optimisers and the log. */
export interface StepGradients {
  /** Of loss/global_batch_size, summed over the parts in their order, by trained tensor. */
  gradients: ReadonlyMap<Tensor, Tensor>;
  /** Of all rows of the batch: equal identifiers may stand in different parts. */
  puzzle: PuzzleGradients | undefined;
  /** Sums over the batch, see METRIC_NAMES. */
  metrics: Tensor;
}

/**
 * The rows of a batch in parts of equal size. A row's computation does not depend on the others, so every part has a
 * carry of its own, and the step's gradient is the sum of the parts': the same numbers as from the whole batch but
 * for the rounding of sums in another order. What one part uses in passing, the next uses again.
 */
export class MicroBatches {
  private readonly incoming: readonly DeviceBatch[];

  /** @param carries those of the parts, in the order of the rows; taken over */
  constructor(
    private readonly model: HrmModel,
    readonly carries: readonly Carry[],
  ) {
    this.incoming = carries.map(({ batch }) => emptyBatch(model, batch));
  }

  /** Rows of a part. */
  get rows(): number {
    return this.carries[0].batch;
  }

  /** Replaces the data that come in at the next step. */
  write({ inputs, labels, puzzleIdentifiers }: Batch): void {
    const { rows } = this;
    const tokens = rows * this.model.config.seq_len;
    this.incoming.forEach((target, part) => {
      writeBatch(target, {
        inputs: inputs.subarray(part * tokens, (part + 1) * tokens),
        labels: labels.subarray(part * tokens, (part + 1) * tokens),
        puzzleIdentifiers: puzzleIdentifiers.subarray(part * rows, (part + 1) * rows),
        rows,
      });
    });
  }

  /** The training calls of the step whose number is in `call` [1], u32. Call it in a scope. */
  gradients(call: Tensor, { global_batch_size, seed }: TrainConfig): StepGradients {
    const { device } = this.model;
    const part = (i: number): StepGradients =>
      device.scope(() => {
        const draws = explore(this.carries[i], call, seed, i * this.rows);
        const result = trainingCall(this.carries[i], this.incoming[i], draws, global_batch_size);
        return { gradients: result.gradients, puzzle: result.puzzle, metrics: result.output.metrics };
      });
    if (this.carries.length === 1) return part(0);
    const puzzle = this.emptyPuzzleGradients(global_batch_size);
    let sum: Omit<StepGradients, 'puzzle'> | undefined;
    for (let i = 0; i < this.carries.length; i++) {
      sum = device.scope(() => {
        const { puzzle: own, ...next } = part(i);
        if (puzzle && own) {
          puzzle.identifiers.assignAt(i * own.identifiers.size, own.identifiers);
          puzzle.gradient.assignAt(i * own.gradient.size, own.gradient);
        }
        return sum ? addInto(sum, next) : next;
      });
    }
    return { ...(sum as Omit<StepGradients, 'puzzle'>), puzzle };
  }

  dispose(): void {
    for (const batch of this.incoming)
      for (const tensor of Object.values(batch) as Tensor[]) tensor.dispose();
    for (const carry of this.carries) carry.dispose();
  }

  private emptyPuzzleGradients(batch: number): PuzzleGradients | undefined {
    const { device, config } = this.model;
    if (config.puzzle_emb_ndim === 0) return undefined;
    return {
      identifiers: Tensor.empty(device, [batch], 'i32'),
      gradient: Tensor.empty(device, [batch, config.puzzle_emb_ndim]),
    };
  }
}

/** The sums of two parts; frees both, each pair as soon as it is added. */
function addInto(a: Omit<StepGradients, 'puzzle'>, b: Omit<StepGradients, 'puzzle'>) {
  const addPair = (x: Tensor, y: Tensor) => {
    const sum = add(x, y);
    x.dispose();
    y.dispose();
    return sum;
  };
  const gradients = new Map<Tensor, Tensor>();
  for (const [parameter, gradient] of a.gradients) {
    const other = b.gradients.get(parameter);
    if (!other) throw new Error(`tensor [${parameter.shape}] has a gradient in one part of the batch only`);
    gradients.set(parameter, addPair(gradient, other));
  }
  return { gradients, metrics: addPair(a.metrics, b.metrics) };
}

/** Fresh carries for a batch in parts of `rows`. */
export function freshCarries(model: HrmModel, batch: number, rows: number): Carry[] {
  return Array.from({ length: batch / rows }, () => Carry.fresh(model, rows));
}

/**
 * The rows of a part.
 *
 * @param microBatch undefined for the whole batch at once
 * @throws UserError when it does not divide the batch
 */
export function partRows(batch: number, microBatch = batch): number {
  if (Number.isInteger(microBatch) && microBatch >= 1 && batch % microBatch === 0) return microBatch;
  const divisors = divisorsOf(batch);
  const near = divisors.find((rows) => rows <= microBatch) ?? 1;
  throw new UserError(
    `the micro-batch of ${microBatch} must divide global_batch_size (${batch}): use ${near}, for example`,
  );
}

/** All divisors, largest first. */
export function divisorsOf(n: number): number[] {
  return Array.from({ length: n }, (_, i) => n - i).filter((divisor) => n % divisor === 0);
}
