import type { Plan, Tensor } from '@hrm-webgpu/core';
import type { Batch } from '../data/dataset/sampler.ts';
import { type AnswerOutput, answerCall } from './act.ts';
import { Carry, type DeviceBatch, emptyBatch, writeBatch } from './carry.ts';
import type { HrmModel } from './model.ts';

/** What every row of a batch has come to, on the host. */
export interface Rows {
  /** [batch, seq_len] */
  prediction: Int32Array;
  /** [batch, 2]: halt, continue. */
  q: Float32Array;
  /** [batch]: mean loss of the row's labels. */
  lmLoss: Float32Array;
  /** [batch] */
  steps: Uint32Array;
  /** [batch], 1 for rows that take a new example in the next segment. */
  halted: Uint32Array;
}

/** Runs a model on batches of one size, segment by segment; the segment is recorded once and replayed. */
export class Inference {
  private readonly carry: Carry;
  private readonly incoming: DeviceBatch;
  /** One segment; see {@link segment}. */
  readonly plan: Plan<AnswerOutput>;

  /**
   * @param maxSteps segments after which rows halt; more than `halt_max_steps` is inference-time scaling
   * @param haltEarly whether rows halt as soon as q_halt > q_continue
   */
  constructor(model: HrmModel, batch: number, maxSteps = model.config.halt_max_steps, haltEarly = false) {
    this.carry = Carry.fresh(model, batch);
    this.incoming = emptyBatch(model, batch);
    this.plan = model.device.record(() => answerCall(this.carry, this.incoming, maxSteps, haltEarly));
  }

  /** What the last segment gave; it is written over by the next. */
  get output(): AnswerOutput {
    return this.plan.result;
  }

  /** Puts other examples into all rows; they start with the next segment. */
  start(batch: Batch): void {
    this.offer(batch);
    this.carry.restart();
  }

  /** Gives the examples that rows take when they have halted, each the one of its place; other rows go on. */
  offer(batch: Batch): void {
    writeBatch(this.incoming, batch);
  }

  /** Submits one segment for every row. */
  segment(): void {
    this.plan.replay();
  }

  /** The rows after the last segment. */
  async read(): Promise<Rows> {
    const { prediction, q, lmLoss } = this.output;
    const { steps, halted } = this.carry.current;
    const [tokens, qs, losses, counts, flags] = await Promise.all([
      prediction.read(),
      q.readF32(),
      lmLoss.readF32(),
      steps.read(),
      halted.read(),
    ]);
    return {
      prediction: tokens as Int32Array,
      q: qs,
      lmLoss: losses,
      steps: counts as Uint32Array,
      halted: flags as Uint32Array,
    };
  }

  dispose(): void {
    this.plan.dispose();
    this.carry.dispose();
    for (const tensor of Object.values(this.incoming) as Tensor[]) tensor.dispose();
  }

  /** For `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
