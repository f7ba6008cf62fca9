import { Philox, type PhiloxState, type Plan, Tensor } from '@hrm-webgpu/core';
import { METRIC_NAMES } from '@hrm-webgpu/kernels';
import type { Curriculum } from '../data/dataset/curriculum.ts';
import type { Split } from '../data/dataset/dataset.ts';
import { type Batch, type SamplerState, type TrainOptions, TrainSampler } from '../data/dataset/sampler.ts';
import { hasQContinue, type MetricSums, namedMetrics, totalLoss } from '../model/act.ts';
import type { Carry } from '../model/carry.ts';
import type { ModelConfig, TrainConfig } from '../model/config.ts';
import type { HrmModel } from '../model/model.ts';
import { NotFiniteError } from '../model/not-finite.ts';
import type { Average } from './average.ts';
import { GradientNormMeter, type GradientNorms } from './gradient-norms.ts';
import { MicroBatches } from './micro-batches.ts';
import { type Optimizers, scheduleFactor } from './optimizers.ts';

/** Changes a batch in place before it is used, with random numbers from a stream of its own. */
export type Augmentation = (batch: Batch, random: Philox) => void;

/** What a run's steps are made with. */
export interface StepOptions {
  config: ModelConfig;
  train: TrainConfig;
  split: Split;
  /** Steps of the whole run: the end of the schedule. */
  totalSteps: number;
  augment?: Augmentation;
  /** Easy examples first. */
  curriculum?: Curriculum;
  /** Rows that are worked through at a time, a divisor of global_batch_size; default: all of them. */
  microBatch?: number;
  /** Run op by op instead of recording the first step and replaying it: slower, easier to debug, the same bits. */
  eager?: boolean;
  /** Looks at everything that a step launches, `NonFiniteTrace` for example; made once a device. Each step is waited for. */
  trace?: (model: HrmModel) => StepTrace;
}

/** What stands around a step. */
export interface StepTrace {
  /** Runs, or records, a step. */
  watch<T>(body: () => T): T;
  /** @throws UserError where something is wrong with the step, which is called `what` */
  check(what: string): Promise<void>;
  dispose(): void;
}

/** Where a run stands, besides its tensors; plain JSON. */
export interface Progress {
  step: number;
  totalSteps: number;
  sampler: SamplerState;
  augmentation: PhiloxState;
}

/** The tensors that a run goes on from. */
export interface TrainingState {
  model: HrmModel;
  optimizers: Optimizers;
  carries: readonly Carry[];
  /** Where the run has `ema`. */
  average?: Average;
}

/** Sums of one training call, and what they are sums over. */
export interface StepReport {
  step: number;
  sums: MetricSums;
  /** loss / global_batch_size */
  loss: number;
  lr: number;
  /** Of one step in 16, from the first on. */
  gradientNorms?: GradientNorms;
}

/** Metrics are read this often, or when so much time has passed. */
const READ_EVERY = { steps: 16, ms: 200 };
/** No more often than metrics are read: there is room for the norms of one step. */
const NORMS_EVERY = READ_EVERY.steps;

/** Training steps on one device: all that is gone when it is lost. */
export class Steps implements TrainingState {
  readonly model: HrmModel;
  readonly optimizers: Optimizers;
  readonly average: Average | undefined;
  private readonly sampler: TrainSampler;
  private readonly augmentation: Philox;
  private plan: Plan<Tensor> | undefined;
  private readonly parts: MicroBatches;
  private readonly trace: StepTrace | undefined;
  /** The number of a step, written by the host before it. */
  private readonly call: Tensor;
  /** The metrics of steps that have not been read, a row each. */
  private readonly history: Tensor;
  private readonly norms: GradientNormMeter;
  /** The examples of the last step, until the next. */
  batch: Batch | undefined;
  private unread: (Pick<StepReport, 'step' | 'lr'> & { measured: boolean })[] = [];
  private lastReading = performance.now();
  /** Done when what was read has arrived, in order. */
  private readings: Promise<void> = Promise.resolve();
  private arrived: StepReport[] = [];
  private failure: unknown;

  /** Takes the model, optimisers and carries over. */
  constructor(
    readonly options: StepOptions,
    { model, optimizers, carries, average }: TrainingState,
    { sampler, augmentation }: Pick<Progress, 'sampler' | 'augmentation'>,
  ) {
    this.model = model;
    this.optimizers = optimizers;
    this.average = average;
    this.sampler = TrainSampler.resume(options.split, samplerOptions(options), sampler);
    this.augmentation = Philox.fromState(augmentation);
    this.parts = new MicroBatches(model, carries);
    this.trace = options.trace?.(model);
    this.call = Tensor.empty(model.device, [1], 'u32');
    this.history = Tensor.empty(model.device, [READ_EVERY.steps, METRIC_NAMES.length]);
    this.norms = new GradientNormMeter(model);
  }

  /** What passes from step to step, part by part in the order of the batch's rows. */
  get carries(): readonly Carry[] {
    return this.parts.carries;
  }

  /** Steps taken so far. */
  get step(): number {
    return this.optimizers.stepsTaken;
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
   */
  async advance(): Promise<void> {
    const { model, optimizers } = this;
    const { train, totalSteps, augment } = this.options;
    await model.device.stream.ready();
    const batch = this.sampler.next(this.step);
    augment?.(batch, this.augmentation);
    this.batch = batch;
    this.parts.write(batch);
    const factor = scheduleFactor(this.step + 1, totalSteps, train);
    const lr = train.lr * factor;
    optimizers.begin({ lr, puzzle_emb_lr: train.puzzle_emb_lr * factor });
    this.call.write(Uint32Array.of(this.step));
    const measured = this.step % NORMS_EVERY === 1;
    this.run(measured);
    await this.trace?.check(`step ${this.step}`);
    this.unread.push({ step: this.step, lr, measured });
    const due = performance.now() - this.lastReading > READ_EVERY.ms;
    if (due || this.unread.length === READ_EVERY.steps) this.readHistory();
  }

  /** Waits until all steps have been made and their reports are there to {@link take}. */
  async settle(): Promise<void> {
    this.readHistory();
    await this.readings;
  }

  /**
   * The reports that have come back since the last time, in order.
   *
   * @throws NotFiniteError when the loss of a step is no number
   */
  take(): StepReport[] {
    if (this.failure) throw this.failure;
    return this.arrived.splice(0);
  }

  dispose(): void {
    this.plan?.dispose();
    this.call.dispose();
    this.history.dispose();
    this.norms.dispose();
    this.parts.dispose();
    this.trace?.dispose();
    this.average?.dispose();
    this.model.dispose();
    this.optimizers.dispose();
  }

  private run(measured: boolean): void {
    const { device } = this.model;
    const { trace } = this;
    const watched = <T>(body: () => T) => (trace ? trace.watch(body) : body());
    let metrics: Tensor;
    if (this.options.eager) metrics = watched(() => device.scope(() => this.stepOnDevice(measured)));
    else {
      this.plan ??= watched(() => device.record(() => this.stepOnDevice()));
      this.plan.replay(measured);
      metrics = this.plan.result;
    }
    this.history.assignAt(METRIC_NAMES.length * this.unread.length, metrics);
    if (this.options.eager) metrics.dispose();
  }

  /**
   * Everything that a step does on the GPU; returns its metrics.
   *
   * @param measured with the norms of its gradients, which a recorded step does on demand
   */
  stepOnDevice(measured = true): Tensor {
    const { gradients, puzzle, metrics } = this.parts.gradients(this.call, this.options.train);
    if (measured) this.model.device.onDemand(() => this.norms.measure(gradients));
    this.optimizers.step(gradients, puzzle);
    this.average?.update();
    return metrics;
  }

  /** Starts to read the metrics of the steps since the last reading. */
  private readHistory(): void {
    const { history, unread, options } = this;
    this.unread = [];
    this.lastReading = performance.now();
    if (unread.length === 0) return;
    const norms = unread.some(({ measured }) => measured) ? this.norms.read() : undefined;
    const read = Promise.all([history.readF32(), norms]);
    read.catch(() => {}); // it is waited for below
    const arrive = async () => {
      const [rows, gradientNorms] = await read;
      unread.forEach(({ step, lr, measured }, i) => {
        const row = rows.subarray(METRIC_NAMES.length * i, METRIC_NAMES.length * (i + 1));
        const sums = namedMetrics(row, hasQContinue(options.config));
        const loss = checkedLoss(step, sums, options.train);
        this.arrived.push({ step, lr, sums, loss, ...(measured ? { gradientNorms } : {}) });
      });
    };
    this.readings = this.readings.then(arrive).catch((error: unknown) => {
      this.failure ??= error;
    });
  }
}

/** @throws NotFiniteError when it is no number */
function checkedLoss(step: number, sums: MetricSums, { global_batch_size }: TrainConfig): number {
  const loss = totalLoss(sums) / global_batch_size;
  if (Number.isFinite(loss)) return loss;
  throw new NotFiniteError(`step ${step}: the loss is ${loss}: the weights are no longer usable.`);
}

/** What a run's sampler is made with. */
export function samplerOptions({
  train,
  curriculum,
}: Pick<StepOptions, 'train' | 'curriculum'>): TrainOptions {
  return {
    batchSize: train.global_batch_size,
    evalInterval: train.eval_interval,
    seed: train.seed,
    curriculum,
  };
}
