import { type Device, Philox, type PhiloxState, type Plan, Tensor, UserError } from '@hrm-webgpu/core';
import { METRIC_NAMES } from '@hrm-webgpu/kernels';
import type { Split } from '../data/dataset/dataset.ts';
import { type Batch, type SamplerState, TrainSampler } from '../data/dataset/sampler.ts';
import { type MetricSums, namedMetrics, totalLoss } from '../model/act.ts';
import type { Carry } from '../model/carry.ts';
import type { ModelConfig, TrainConfig } from '../model/config.ts';
import { initializeModel } from '../model/init.ts';
import type { HrmModel } from '../model/model.ts';
import { recordTraining } from '../tuning/tuning-uses.ts';
import { verifyKernels } from '../tuning/verify.ts';
import { freshCarries, MicroBatches, partRows } from './micro-batches.ts';
import { Optimizers, scheduleFactor } from './optimizers.ts';

/** Changes a batch in place before it is used, with random numbers from a stream of its own. */
export type Augmentation = (batch: Batch, random: Philox) => void;

export interface TrainerOptions {
  config: ModelConfig;
  train: TrainConfig;
  split: Split;
  /** Steps of the whole run: the end of the schedule. */
  totalSteps: number;
  augment?: Augmentation;
  /** Rows that are worked through at a time, a divisor of global_batch_size; default: all of them. */
  microBatch?: number;
  /** Run op by op instead of recording the first step and replaying it: slower, easier to debug, the same bits. */
  eager?: boolean;
  /** Stops {@link Trainer.start}. */
  signal?: AbortSignal;
}

/** Where a run stands, besides its tensors; plain JSON. */
export interface Progress {
  step: number;
  totalSteps: number;
  sampler: SamplerState;
  augmentation: PhiloxState;
}

/** Sums of one training call, and what they are sums over. */
export interface StepReport {
  step: number;
  sums: MetricSums;
  /** loss / global_batch_size */
  loss: number;
  lr: number;
}

/** Philox stream; any number that nothing else takes. */
const AUGMENTATION_STREAM = 0x6175676d;

/** Metrics are read this often, or when so much time has passed. */
const READ_EVERY = { steps: 16, ms: 200 };

/** A training run: model, optimisers, carry and data, and one method that moves it on by a step. */
export class Trainer {
  private plan: Plan<Tensor> | undefined;
  private readonly parts: MicroBatches;
  /** The number of a step, written by the host before it. */
  private readonly call: Tensor;
  /** The metrics of steps that have not been read, a row each. */
  private readonly history: Tensor;
  private unread: Pick<StepReport, 'step' | 'lr'>[] = [];
  private lastReading = performance.now();
  private readonly readings = new Set<Promise<void>>();
  private arrived: StepReport[] = [];
  private failure: unknown;
  private verification: Promise<void> | undefined;

  private constructor(
    readonly model: HrmModel,
    readonly options: TrainerOptions,
    readonly optimizers: Optimizers,
    carries: readonly Carry[],
    private readonly sampler: TrainSampler,
    private readonly augmentation: Philox,
  ) {
    this.parts = new MicroBatches(model, carries);
    this.call = Tensor.empty(model.device, [1], 'u32');
    this.history = Tensor.empty(model.device, [READ_EVERY.steps, METRIC_NAMES.length]);
  }

  /**
   * A run from fresh weights.
   *
   * @throws UserError when the data never fill a batch, or the model does not fit the GPU
   */
  static async start(device: Device, options: TrainerOptions): Promise<Trainer> {
    const { config, train, split } = options;
    const sampler = () => new TrainSampler(split, samplerOptions(train));
    sampler().next(); // before there is a model, and a folder for it
    const rows = partRows(train.global_batch_size, options.microBatch);
    const model = await initializeModel(device, config, train.seed, { signal: options.signal });
    return new Trainer(
      model,
      options,
      new Optimizers(model, train),
      freshCarries(model, train.global_batch_size, rows),
      sampler(),
      new Philox(train.seed, AUGMENTATION_STREAM),
    );
  }

  /** A run from where a checkpoint left it; takes the model, optimisers and carries over. */
  static resume(
    options: TrainerOptions,
    parts: { model: HrmModel; optimizers: Optimizers; carries: readonly Carry[] },
    progress: Progress,
  ): Trainer {
    return new Trainer(
      parts.model,
      options,
      parts.optimizers,
      parts.carries,
      TrainSampler.resume(options.split, samplerOptions(options.train), progress.sampler),
      Philox.fromState(progress.augmentation),
    );
  }

  /** What passes from step to step, part by part in the order of the batch's rows. */
  get carries(): readonly Carry[] {
    return this.parts.carries;
  }

  /** Steps taken so far. */
  get step(): number {
    return this.optimizers.stepsTaken;
  }

  get finished(): boolean {
    return this.step >= this.options.totalSteps;
  }

  get progress(): Progress {
    return {
      step: this.step,
      totalSteps: this.options.totalSteps,
      sampler: this.sampler.state,
      augmentation: this.augmentation.state,
    };
  }

  /**
   * Appends one training call and its optimiser step, once all before are submitted and the GPU has little left to do.
   * Resolves to the reports of earlier steps that have come back meanwhile, in order.
   *
   * @throws UserError when the loss of an earlier step is no number
   */
  async advance(): Promise<StepReport[]> {
    const { model, optimizers } = this;
    const { train, totalSteps, augment } = this.options;
    this.verification ??= verifyKernels(model, () => recordTraining(model, this.carries[0].batch));
    await this.verification;
    await model.device.stream.ready();
    const batch = this.sampler.next();
    augment?.(batch, this.augmentation);
    this.parts.write(batch);
    const factor = scheduleFactor(this.step + 1, totalSteps, train);
    const lr = train.lr * factor;
    optimizers.begin({ lr, puzzle_emb_lr: train.puzzle_emb_lr * factor });
    this.call.write(Uint32Array.of(this.step));
    this.run();
    this.unread.push({ step: this.step, lr });
    const due = performance.now() - this.lastReading > READ_EVERY.ms;
    if (due || this.unread.length === READ_EVERY.steps) this.readHistory();
    return this.takeArrived();
  }

  /** Waits for all steps; resolves to the reports not given yet. */
  async settle(): Promise<StepReport[]> {
    this.readHistory();
    await Promise.all(this.readings);
    return this.takeArrived();
  }

  dispose(): void {
    this.plan?.dispose();
    this.call.dispose();
    this.history.dispose();
    this.parts.dispose();
    this.model.dispose();
    this.optimizers.dispose();
  }

  /** For `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  private run(): void {
    const { device } = this.model;
    let metrics: Tensor;
    if (this.options.eager) metrics = device.scope(() => this.stepOnDevice());
    else {
      this.plan ??= device.record(() => this.stepOnDevice());
      this.plan.replay();
      metrics = this.plan.result;
    }
    this.history.assignAt(METRIC_NAMES.length * this.unread.length, metrics);
    if (this.options.eager) metrics.dispose();
  }

  /** Everything that a step does on the GPU; returns its metrics. */
  private stepOnDevice(): Tensor {
    const { gradients, puzzle, metrics } = this.parts.gradients(this.call, this.options.train);
    this.optimizers.step(gradients, puzzle);
    return metrics;
  }

  /** Starts to read the metrics of the steps since the last reading. */
  private readHistory(): void {
    const { history, unread, options } = this;
    this.unread = [];
    this.lastReading = performance.now();
    if (unread.length === 0) return;
    const reading = history.readF32().then((rows) => {
      unread.forEach(({ step, lr }, i) => {
        const row = rows.subarray(METRIC_NAMES.length * i, METRIC_NAMES.length * (i + 1));
        const sums = namedMetrics(row, options.config.halt_max_steps > 1);
        this.arrived.push({ step, lr, sums, loss: checkedLoss(step, sums, options.train) });
      });
    });
    const done = reading
      .catch((error: unknown) => {
        this.failure ??= error;
      })
      .finally(() => this.readings.delete(done));
    this.readings.add(done);
  }

  private takeArrived(): StepReport[] {
    if (this.failure) throw this.failure;
    const reports = this.arrived;
    this.arrived = [];
    return reports;
  }
}

/** @throws UserError when it is no number */
function checkedLoss(step: number, sums: MetricSums, { global_batch_size }: TrainConfig): number {
  const loss = totalLoss(sums) / global_batch_size;
  if (Number.isFinite(loss)) return loss;
  throw new UserError(
    `step ${step}: the loss is ${loss}. The weights are no longer usable; checkpoints saved before are intact. ` +
      'Lower lr (or raise lr_warmup_steps) and start again, or resume from the last checkpoint.',
  );
}

function samplerOptions(train: TrainConfig) {
  return { batchSize: train.global_batch_size, evalInterval: train.eval_interval, seed: train.seed };
}
