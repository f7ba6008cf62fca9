import { Tensor } from '@hrm-webgpu/core';
import { adamAtan2Kernel, launch, signSgdKernel } from '@hrm-webgpu/kernels';
import type { TrainConfig } from '../model/config.ts';
import type { HrmModel } from '../model/model.ts';

/** What sparse sign-SGD steps on: the rows of a batch, in order; equal identifiers may stand there several times. */
export interface PuzzleGradients {
  /** [batch] i32: those of the carry's current data. */
  identifiers: Tensor;
  /** [batch, puzzle_emb_ndim] */
  gradient: Tensor;
}

/**
 * HRM's two optimisers: Adam-atan2 (Everett et al., arXiv 2407.05872) for everything that {@link HrmModel.trained}
 * lists, sparse sign-SGD for the puzzle rows of a batch.
 */
export class Optimizers {
  /** First and second moments by weight name. */
  readonly moments = new Map<string, { m: Tensor; v: Tensor }>();
  /** What changes from step to step, on the device: see the kernels. */
  private readonly rates: Tensor;
  private readonly puzzleRates: Tensor;

  constructor(
    private readonly model: HrmModel,
    private readonly config: TrainConfig,
    /** Steps taken so far. */
    public stepsTaken = 0,
  ) {
    for (const [name, { shape, size }] of model.trained) {
      const zeros = () => Tensor.from(model.device, new Float32Array(size), shape);
      this.moments.set(name, { m: zeros(), v: zeros() });
    }
    this.rates = Tensor.empty(model.device, [3]);
    this.puzzleRates = Tensor.empty(model.device, [2]);
  }

  /** Counts a step and sets its learning rates, warmed up and decayed; to be called before {@link step}. */
  begin({ lr, puzzle_emb_lr }: { lr: number; puzzle_emb_lr: number }): void {
    const { beta1, beta2, weight_decay, puzzle_emb_weight_decay } = this.config;
    const t = ++this.stepsTaken;
    const stepSize = lr / (1 - beta1 ** t);
    this.rates.write(Float32Array.of(lr * weight_decay, stepSize, 1 / Math.sqrt(1 - beta2 ** t)));
    this.puzzleRates.write(Float32Array.of(puzzle_emb_lr, puzzle_emb_lr * puzzle_emb_weight_decay));
  }

  /**
   * One step on the gradients of a training call; the puzzle rows move first.
   *
   * @param puzzle undefined for a model without puzzle rows
   */
  step(gradients: ReadonlyMap<Tensor, Tensor>, puzzle: PuzzleGradients | undefined): void {
    if (puzzle) this.stepPuzzleRows(puzzle);
    const { beta1, beta2 } = this.config;
    const { model, rates } = this;
    for (const [name, p] of model.trained) {
      const g = gradients.get(p);
      const moments = this.moments.get(name);
      if (!g || !moments) throw new Error(`no gradient for ${name}`);
      const params = { length: p.size, rate1: 1 - beta1, rate2: 1 - beta2 };
      launch(model.device, adamAtan2Kernel, { g, rates, p, ...moments }, params);
    }
    model.weightsChanged();
  }

  dispose(): void {
    for (const { m, v } of this.moments.values()) {
      m.dispose();
      v.dispose();
    }
    this.rates.dispose();
    this.puzzleRates.dispose();
  }

  private stepPuzzleRows({ identifiers, gradient: g }: PuzzleGradients): void {
    const [batch, width] = g.shape;
    for (const { rows, first } of this.model.puzzleShards) {
      const tensors = { identifiers, g, rates: this.puzzleRates, rows };
      launch(this.model.device, signSgdKernel, tensors, { batch, width, first, count: rows.shape[0] });
    }
  }
}

/**
 * The factor on both base rates at `step` (from 1): linear warm-up while step < lr_warmup_steps, then a cosine from 1
 * to lr_min_ratio at `totalSteps`.
 */
export function scheduleFactor(
  step: number,
  totalSteps: number,
  { lr_warmup_steps, lr_min_ratio }: Pick<TrainConfig, 'lr_warmup_steps' | 'lr_min_ratio'>,
): number {
  if (step < lr_warmup_steps) return step / lr_warmup_steps;
  const progress = (step - lr_warmup_steps) / Math.max(1, totalSteps - lr_warmup_steps);
  return lr_min_ratio + Math.max(0, (1 - lr_min_ratio) * 0.5 * (1 + Math.cos(Math.PI * progress)));
}
