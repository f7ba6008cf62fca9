import { type Device, Philox, type PhiloxState, UserError } from '@hrm-webgpu/core';
import { type Exploration, type MetricSums, readMetrics, totalLoss, trainingCall } from './act.ts';
import { Carry, uploadBatch } from './carry.ts';
import type { ModelConfig, TrainConfig } from './config.ts';
import type { Split } from './data/dataset.ts';
import { type Batch, type SamplerState, TrainSampler } from './data/sampler.ts';
import { HrmModel } from './model.ts';
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
}

/** Where a run stands, besides its tensors; plain JSON. */
export interface Progress {
  step: number;
  totalSteps: number;
  sampler: SamplerState;
  exploration: PhiloxState;
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

/** Philox streams; any numbers that nothing else takes. */
const EXPLORATION_STREAM = 0x6578706c;
const AUGMENTATION_STREAM = 0x6175676d;

/** A training run: model, optimisers, carry and data, and one method that moves it on by a step. */
export class Trainer {
  private constructor(
    readonly model: HrmModel,
    readonly options: TrainerOptions,
    readonly optimizers: Optimizers,
    readonly carry: Carry,
    private readonly sampler: TrainSampler,
    private readonly exploration: Philox,
    private readonly augmentation: Philox,
  ) {}

  /** A run from fresh weights. */
  static async start(device: Device, options: TrainerOptions): Promise<Trainer> {
    const { config, train, split } = options;
    const model = await HrmModel.initialize(device, config, train.seed);
    return new Trainer(
      model,
      options,
      new Optimizers(model, train),
      Carry.fresh(model, train.global_batch_size),
      new TrainSampler(split, samplerOptions(train)),
      new Philox(train.seed, EXPLORATION_STREAM),
      new Philox(train.seed, AUGMENTATION_STREAM),
    );
  }

  /** A run from where a checkpoint left it; takes the model, optimisers and carry over. */
  static resume(
    options: TrainerOptions,
    parts: { model: HrmModel; optimizers: Optimizers; carry: Carry },
    progress: Progress,
  ): Trainer {
    return new Trainer(
      parts.model,
      options,
      parts.optimizers,
      parts.carry,
      TrainSampler.resume(options.split, samplerOptions(options.train), progress.sampler),
      Philox.fromState(progress.exploration),
      Philox.fromState(progress.augmentation),
    );
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
      exploration: this.exploration.state,
      augmentation: this.augmentation.state,
    };
  }

  /**
   * Submits one training call and its optimiser step. The returned promise resolves when the GPU has finished them;
   * a caller may submit the next step before.
   *
   * @throws UserError (through the promise) when the loss is no longer a number
   */
  next(): Promise<StepReport> {
    const { model, carry, optimizers } = this;
    const { train, totalSteps, augment } = this.options;
    const batch = this.sampler.next();
    augment?.(batch, this.augmentation);
    const factor = scheduleFactor(this.step + 1, totalSteps, train);
    const lr = train.lr * factor;
    const metrics = model.device.scope(() => {
      const exploration = this.explore();
      const call = trainingCall(
        carry,
        uploadBatch(model.device, batch),
        exploration,
        train.global_batch_size,
      );
      const rates = { lr, puzzle_emb_lr: train.puzzle_emb_lr * factor };
      optimizers.step(call.gradients, carry.current.puzzle_identifiers, rates);
      return call.output.metrics;
    });
    const step = this.step;
    const report = async (): Promise<StepReport> => {
      const sums = await readMetrics(metrics, model.config.halt_max_steps > 1);
      metrics.dispose();
      const loss = totalLoss(sums) / train.global_batch_size;
      if (!Number.isFinite(loss)) {
        throw new UserError(
          `step ${step}: the loss is ${loss}. The weights are no longer usable; checkpoints saved before are intact. ` +
            'Lower lr (or raise lr_warmup_steps) and start again, or resume from the last checkpoint.',
        );
      }
      return { step, sums, loss, lr };
    };
    return report();
  }

  dispose(): void {
    this.model.dispose();
    this.optimizers.dispose();
    this.carry.dispose();
  }

  private explore(): Exploration {
    const { global_batch_size } = this.options.train;
    const { halt_max_steps } = this.options.config;
    const uniform = Float32Array.from({ length: global_batch_size }, () => this.exploration.uniform());
    const minSteps = Uint32Array.from({ length: global_batch_size }, () =>
      halt_max_steps > 1 ? 2 + this.exploration.below(halt_max_steps - 1) : 1,
    );
    return { uniform, minSteps };
  }
}

function samplerOptions(train: TrainConfig) {
  return { batchSize: train.global_batch_size, evalInterval: train.eval_interval, seed: train.seed };
}
