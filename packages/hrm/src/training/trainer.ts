import { type Device, type OnDeviceLost, Philox, Recovery, type Reopen, UserError } from '@hrm-webgpu/core';
import { TrainSampler } from '../data/dataset/sampler.ts';
import { blobSource } from '../formats/files/byte-source.ts';
import { openSafetensors } from '../formats/safetensors.ts';
import type { Carry } from '../model/carry.ts';
import { initializeModel } from '../model/init.ts';
import type { HrmModel } from '../model/model.ts';
import { recordForNothing } from '../tuning/tuning-uses.ts';
import { verifyKernels } from '../tuning/verify.ts';
import { type CheckpointMetadata, encodeTraining, loadTraining, readMetadata } from './checkpoint.ts';
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

export interface TrainerOptions extends StepOptions {
  /** Stops {@link Trainer.start}. */
  signal?: AbortSignal;
  /**
   * Opens the adapter again when the device is lost, `openDevice` for example: the run then goes on, to the same bits, from a
   * copy of its state in the host's memory. Without it a loss is the end. Devices that it opened are closed by `dispose`.
   */
  reopen?: Reopen;
  /** Told of every loss that the run tries to survive. */
  onDeviceLost?: OnDeviceLost;
}

/** Philox stream; any number that nothing else takes. */
const AUGMENTATION_STREAM = 0x6175676d;

/** A copy of the state is made when so many times as long has passed as the last one took: 2 % of the time at most. */
const COPY_EVERY = 49;

/** A training run: model, optimisers, carry and data, and one method that moves it on by a step. */
export class Trainer implements TrainingState {
  private verification: Promise<void> | undefined;
  private readonly recovery: Recovery;
  /** Resolved when the steps that have been asked for are appended. */
  private turn: Promise<unknown> = Promise.resolve();
  /** While the run is put on another device. */
  private recovering: Promise<void> | undefined;
  /** The state to go on from after a loss, as a checkpoint, and when the next is due. */
  private copy: Uint8Array[] | undefined;
  private copyDue = 0;
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
    this.recovery = new Recovery(options.reopen, options.onDeviceLost);
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
    const sampler = () => new TrainSampler(split, samplerOptions(train));
    sampler().next(); // before there is a model, and a folder for it
    const rows = partRows(train.global_batch_size, options.microBatch);
    const model = await initializeModel(device, config, train.seed, { signal: options.signal });
    const optimizers = new Optimizers(model, train);
    const carries = freshCarries(model, train.global_batch_size, rows);
    const augmentation = new Philox(train.seed, AUGMENTATION_STREAM).state;
    const steps = new Steps(
      options,
      { model, optimizers, carries },
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
   * @throws UserError when the loss of an earlier step is no number; DeviceLostError
   */
  advance(): Promise<StepReport[]> {
    return this.inTurn(async (steps) => {
      if (this.options.reopen && performance.now() >= this.copyDue) await this.keep(steps);
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
    this.recovery.progress();
    return result;
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

  /** Keeps a copy of the state, once it is known that the losses of all steps are numbers. */
  private async keep(steps: Steps): Promise<void> {
    await steps.settle();
    this.collect(steps);
    const started = performance.now();
    this.copy = await encodeTraining(steps, {});
    const now = performance.now();
    this.copyDue = now + COPY_EVERY * (now - started);
  }

  /** Takes over the reports that have come back, but for those of steps that were reported before a loss. */
  private collect(steps: Steps): void {
    for (const report of steps.take()) {
      if (report.step <= this.confirmed) continue;
      this.confirmed = report.step;
      this.reports.push(report);
      this.recovery.progress();
    }
  }

  private recover(error: unknown): Promise<void> {
    const { copy } = this;
    if (!copy || this.disposed) throw error;
    this.recovering ??= this.recovery
      .recover(error, this.model.device, (device) => this.restore(device, copy))
      .finally(() => {
        this.recovering = undefined;
      });
    return this.recovering;
  }

  /** Makes the steps since the copy again. */
  private async restore(device: Device, copy: Uint8Array[]): Promise<void> {
    const blob = new Blob(copy as Uint8Array<ArrayBuffer>[]);
    const file = await openSafetensors(blobSource(blob, 'the copy in memory'));
    const metadata = readMetadata(file) as CheckpointMetadata;
    const { training, ...state } = await loadTraining(device, file, metadata, this.options);
    const steps = new Steps(this.options, state, training.progress);
    while (steps.step < this.taken) await steps.advance();
    await steps.settle();
    this.collect(steps);
    if (this.disposed) throw new UserError('this trainer was disposed of while its device was opened again');
    this.free();
    this.reopened = device;
    this.steps = steps;
  }
}
