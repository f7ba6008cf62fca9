import { Tensor } from '@hrm-webgpu/core';
import { adamAtan2, launch, signSgd } from '@hrm-webgpu/kernels';
import type { TrainConfig } from './config.ts';
import type { HrmModel } from './model.ts';
import { PUZZLE_ROWS } from './parameters.ts';

/**
 * HRM's two optimisers: Adam-atan2 (Everett et al., arXiv 2407.05872) for everything that {@link HrmModel.trained}
 * lists, sparse sign-SGD for the puzzle rows of a batch.
 */
export class Optimizers {
  /** First and second moments by weight name. */
  readonly moments = new Map<string, { m: Tensor; v: Tensor }>();

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
  }

  /**
   * One step on the gradients of a training call; the puzzle rows move first. `puzzle_identifiers` are those of the
   * carry's current data. Learning rates are those of this step, warmed up and decayed.
   */
  step(
    gradients: ReadonlyMap<Tensor, Tensor>,
    puzzle_identifiers: Tensor,
    rates: { lr: number; puzzle_emb_lr: number },
  ): void {
    this.stepsTaken += 1;
    this.stepPuzzleRows(gradients, puzzle_identifiers, rates.puzzle_emb_lr);
    const { beta1, beta2, weight_decay } = this.config;
    const { device } = this.model;
    for (const [name, p] of this.model.trained) {
      const g = gradients.get(p);
      const moments = this.moments.get(name);
      if (!g || !moments) throw new Error(`no gradient for ${name}`);
      launch(
        device,
        adamAtan2,
        { g, p, ...moments },
        {
          length: p.size,
          decay: rates.lr * weight_decay,
          rate1: 1 - beta1,
          rate2: 1 - beta2,
          step_size: rates.lr / (1 - beta1 ** this.stepsTaken),
          v_correction: 1 / Math.sqrt(1 - beta2 ** this.stepsTaken),
        },
      );
    }
    this.model.weightsChanged();
  }

  dispose(): void {
    for (const { m, v } of this.moments.values()) {
      m.dispose();
      v.dispose();
    }
  }

  private stepPuzzleRows(gradients: ReadonlyMap<Tensor, Tensor>, identifiers: Tensor, lr: number): void {
    const batch = identifiers.shape[0];
    const local = this.model.localPuzzleRows(batch);
    const g = local && gradients.get(local);
    if (!g) return;
    const decay = lr * this.config.puzzle_emb_weight_decay;
    const rows = this.model.weight(PUZZLE_ROWS);
    launch(this.model.device, signSgd, { identifiers, g, rows }, { batch, width: g.shape[1], lr, decay });
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
