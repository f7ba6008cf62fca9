import type { Plan, Tensor } from '@hrm-webgpu/core';
import type { Batch } from '../data/dataset/sampler.ts';
import { type AnswerOutput, answerCall } from './act.ts';
import { Carry, type DeviceBatch, emptyBatch, writeBatch } from './carry.ts';
import type { HrmModel } from './model.ts';

/** What is done beside the segments of a batch, by who needs more than answers. */
export interface Companion {
  /** Before a segment, when its rows have been filled. */
  before(carry: Carry): void;
  /** After it; returns how much each row's logits have changed [batch], where that is looked at. */
  after(output: AnswerOutput): Tensor | undefined;
  /** @param guesses [batch], the number of every row's guess */
  offer(guesses: Uint32Array): void;
  dispose(): void;
}

/** Makes the companion of a batch. */
export type MakeCompanion = (model: HrmModel, batch: number) => Companion;

/** What every row of a batch has come to, on the host. */
export interface Rows {
  /** [batch, seq_len] */
  prediction: Int32Array;
  /** [batch, 2]: halt, continue. */
  q: Float32Array;
  /** [batch]: mean loss of the row's labels. */
  lmLoss: Float32Array;
  /** [batch]: ‖logits − those a segment before‖₂, which means nothing after a row's first segment; where asked for. */
  changes?: Float32Array;
}

/** What a segment of a batch works on. */
export class InferenceState {
  readonly carry: Carry;
  private readonly incoming: DeviceBatch;
  private readonly companion: Companion | undefined;

  constructor(model: HrmModel, batch: number, makeCompanion?: MakeCompanion) {
    this.carry = Carry.fresh(model, batch);
    this.incoming = emptyBatch(model, batch);
    this.companion = makeCompanion?.(model, batch);
  }

  /** See {@link Inference.offer}. */
  offer(batch: Batch, begins: Uint32Array, guesses: Uint32Array): void {
    writeBatch(this.incoming, batch);
    this.carry.current.halted.write(begins);
    this.companion?.offer(guesses);
  }

  /** Does one segment, or records it. */
  segment(): AnswerOutput & { changes?: Tensor } {
    const { companion } = this;
    const output = answerCall(this.carry, this.incoming, (carry) => companion?.before(carry));
    const changes = companion?.after(output);
    return changes ? { ...output, changes } : output;
  }

  dispose(): void {
    this.carry.dispose();
    this.companion?.dispose();
    for (const tensor of Object.values(this.incoming) as Tensor[]) tensor.dispose();
  }
}

/** Runs a model on batches of one size, segment by segment; the segment is recorded once and replayed. */
export class Inference {
  private readonly state: InferenceState;
  private readonly noContinue: boolean;
  /** One segment; see {@link segment}. */
  readonly plan: Plan<AnswerOutput & { changes?: Tensor }>;

  constructor(
    model: HrmModel,
    readonly batch: number,
    makeCompanion?: MakeCompanion,
  ) {
    this.noContinue = model.config.no_continue;
    this.state = new InferenceState(model, batch, makeCompanion);
    this.plan = model.device.record(() => this.state.segment());
  }

  /** What the last segment gave; it is written over by the next. */
  get output(): AnswerOutput {
    return this.plan.result;
  }

  /** Puts other examples into all rows; they start with the next segment. */
  start(batch: Batch): void {
    this.offer(batch, new Uint32Array(this.batch).fill(1), new Uint32Array(this.batch));
  }

  /**
   * Puts other examples into some rows; they start with the next segment, and other rows go on.
   *
   * @param begins [batch], 1 for rows that take the example at their place
   * @param guesses [batch], the number of every row's guess
   */
  offer(batch: Batch, begins: Uint32Array, guesses: Uint32Array): void {
    this.state.offer(batch, begins, guesses);
  }

  /** Submits one segment for every row. */
  segment(): void {
    this.plan.replay();
  }

  /** The rows after the last segment. */
  async read(): Promise<Rows> {
    const { prediction, q, lmLoss, changes } = this.plan.result;
    const [tokens, qs, losses, distances] = await Promise.all([
      prediction.read(),
      q.readF32(),
      lmLoss.readF32(),
      changes?.readF32(),
    ]);
    // A model without q_continue halts where q_halt exceeds 0.
    if (this.noContinue) for (let row = 0; row < this.batch; row++) qs[2 * row + 1] = 0;
    return { prediction: tokens as Int32Array, q: qs, lmLoss: losses, changes: distances };
  }

  dispose(): void {
    this.plan.dispose();
    this.state.dispose();
  }

  /** For `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
