import { type Device, Philox, UserError } from '@hrm-webgpu/core';
import { TrainSampler } from '../data/dataset/sampler.ts';
import type { Carry } from '../model/carry.ts';
import { initializeModel } from '../model/init.ts';
import type { HrmModel } from '../model/model.ts';
import { recordForNothing } from '../tuning/tuning-uses.ts';
import { verifyKernels } from '../tuning/verify.ts';
import { type Average, averageOf } from './average-of.ts';
import { freshCarries, partRows } from './micro-batches.ts';
import { Optimizers } from './optimizers.ts';
import {
  type Progress,
  type StepOptions,
  type StepReport,
  Steps,
  samplerOptions,
  type TrainingState,
} from './steps.ts';
import type { Survival } from './survival.ts';

export interface TrainerOptions extends StepOptions {
  /** Stops {@link Trainer.start}. */
  signal?: AbortSignal;
  /** Goes on after the device was lost, to the same bits. Without it a loss is the end. */
  survival?: Survival;
}

/** Philox stream; any number that nothing else takes. */
const AUGMENTATION_STREAM = 0x6175676d;

/** A training run: model, optimisers, carry and data, and one method that moves it on by a step. */
export class Trainer implements TrainingState {
  private verification: Promise<void> | undefined;
  /** Resolved when the steps that have been asked for are appended. */
  private turn: Promise<unknown> = Promise.resolve();
  /** While the run is put on another device. */
  private recovering: Promise<void> | undefined;
  /** The device that the run is on now, after a loss. */
  private reopened: Device | undefined;
  /** Steps that were asked for and made; the last of them that is known to have been computed. */
  private taken: number;
  private confirmed: number;
  /** Reports not given yet. */
  private reports: StepReport[] = [];
  private disposed = false;

  private constructor(
    readonly options: TrainerOptions,
    private steps: Steps,
  ) {
    this.taken = steps.step;
    this.confirmed = steps.step;
  }

  /**
   * A run from fresh weights.
   *
   * @throws UserError when the data never fill a batch, or the model does not fit the GPU
   */
  static async start(device: Device, options: TrainerOptions): Promise<Trainer> {
    const { config, train, split } = options;
    const sampler = () => new TrainSampler(split, samplerOptions(options));
    sampler().next(); // before there is a model, and a folder for it
    const rows = partRows(train.global_batch_size, options.microBatch);
    const model = await initializeModel(device, config, train.seed, { signal: options.signal });
    const optimizers = new Optimizers(model, train);
    const carries = freshCarries(model, train.global_batch_size, rows);
    const average = await averageOf(model, train);
    const augmentation = new Philox(train.seed, AUGMENTATION_STREAM).state;
    const steps = new Steps(
      options,
      { model, optimizers, carries, average },
      { sampler: sampler().state, augmentation },
    );
    return new Trainer(options, steps);
  }

  /** A run from where a checkpoint left it; takes the model, optimisers and carries over. */
  static resume(options: TrainerOptions, state: TrainingState, progress: Progress): Trainer {
    return new Trainer(options, new Steps(options, state, progress));
  }

  /** What is trained. Another object on another device after a loss. */
  get model(): HrmModel {
    return this.steps.model;
  }

  /** What is evaluated: the average of the weights where the run has `ema`, else `model`. */
  get evaluated(): HrmModel {
    return this.steps.average?.model ?? this.steps.model;
  }

  /** Of the weights, where the run has `ema`. */
  get average(): Average | undefined {
    return this.steps.average;
  }

  /** As `model`, another object after a loss. */
  get optimizers(): Optimizers {
    return this.steps.optimizers;
  }

  /** What passes from step to step, part by part in the order of the batch's rows; other objects after a loss. */
  get carries(): readonly Carry[] {
    return this.steps.carries;
  }

  /** Steps taken so far. */
  get step(): number {
    return this.steps.step;
  }

  get finished(): boolean {
    return this.step >= this.options.totalSteps;
  }

  get progress(): Progress {
    return this.steps.progress;
  }

  /**
   * Appends one training call and its optimiser step, once all before are submitted and the GPU has little left to do.
   * Resolves to the reports of earlier steps that have come back meanwhile, in order.
   *
   * @throws NotFiniteError when the loss of an earlier step is no number; DeviceLostError
   */
  advance(): Promise<StepReport[]> {
    return this.inTurn(async (steps) => {
      if (this.options.survival?.due) await this.keep(steps, this.options.survival);
      await this.verify(steps);
      await steps.advance();
      this.collect(steps);
      this.taken = steps.step;
    });
  }

  /** Waits for all steps; resolves to the reports not given yet. */
  settle(): Promise<StepReport[]> {
    return this.inTurn(async (steps) => {
      await steps.settle();
      this.collect(steps);
    });
  }

  /**
   * Does `body`, which uses what the trainer has on its device (to evaluate `model`, to save), again from its beginning
   * when the device was lost meanwhile and the run could go on.
   *
   * @throws what `body` throws; DeviceLostError when the run cannot go on
   */
  async survive<T>(body: () => Promise<T>): Promise<T> {
    const result = await this.repeat(body);
    this.options.survival?.progress();
    return result;
  }

  /**
   * As {@link survive}, between two steps: the next one waits until `body` has begun, and not for its end. What `body` needs of the
   * state it must ask for before it first waits.
   */
  atStep<T>(body: () => Promise<T>): Promise<T> {
    return this.survive(async () => {
      let result: Promise<T> | undefined;
      const begun = this.turn.then(() => {
        result = body();
        result.catch(() => {}); // it is waited for below
      });
      this.turn = begun.catch(() => {});
      await begun;
      return result as Promise<T>;
    });
  }

  private async repeat<T>(body: () => Promise<T>): Promise<T> {
    while (true) {
      const { steps } = this;
      try {
        return await body();
      } catch (error) {
        if (steps === this.steps) await this.recover(error);
      }
    }
  }

  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.free();
  }

  /** For `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Does something with the steps after what was asked for before; resolves to the reports not given yet. */
  private async inTurn(body: (steps: Steps) => Promise<void>): Promise<StepReport[]> {
    const done = this.turn.then(() => this.repeat(() => body(this.steps)));
    this.turn = done.catch(() => {});
    await done;
    return this.reports.splice(0);
  }

  /** Frees what is on the device, and the device if it was opened here. */
  private free(): void {
    this.steps.dispose();
    this.reopened?.close();
  }

  /** Checks the kernels, once. */
  private async verify(steps: Steps): Promise<void> {
    const { model } = steps;
    model.localPuzzleRows(steps.carries[0].batch); // which the model keeps, and a recording would not
    this.verification ??= verifyKernels(model, () =>
      recordForNothing(model.device, () => steps.stepOnDevice()),
    );
    try {
      await this.verification;
    } catch (error) {
      this.verification = undefined;
      throw error;
    }
  }

  /** Begins to keep a copy of the state, once it is known that the losses of all steps are numbers. */
  private async keep(steps: Steps, survival: Survival): Promise<void> {
    await steps.settle();
    this.collect(steps);
    const kept = survival.keep(steps);
    if (!survival.ready) await kept;
  }

  /** Takes over the reports that have come back, but for those of steps that were reported before a loss. */
  private collect(steps: Steps): void {
    for (const report of steps.take()) {
      if (report.step <= this.confirmed) continue;
      this.confirmed = report.step;
      this.reports.push(report);
      this.options.survival?.progress();
    }
  }

  private recover(error: unknown): Promise<void> {
    const { survival } = this.options;
    if (!survival || this.disposed) throw error;
    this.recovering ??= survival
      .recover(error, this.steps, (steps) => this.restore(steps))
      .finally(() => {
        this.recovering = undefined;
      });
    return this.recovering;
  }

  /** Makes the steps since the copy again, and goes on with them. */
  private async restore(steps: Steps): Promise<void> {
    while (steps.step < this.taken) await steps.advance();
    await steps.settle();
    this.collect(steps);
    if (this.disposed) throw new UserError('this trainer was disposed of while its device was opened again');
    this.free();
    this.reopened = steps.model.device;
    this.steps = steps;
  }
}
