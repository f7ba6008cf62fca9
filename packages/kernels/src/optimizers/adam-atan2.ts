import { type Device, Tensor } from '@hrm-webgpu/core';
import { adamAtan2 } from '../defs/adam_atan2.ts';
import { adamRates } from '../defs/adam_rates.ts';
import { launch } from '../kernel.ts';
import { checkOption, deviceOf, gradientOf, scalarOf, zerosLike } from './parameters.ts';

export interface AdamAtan2Options {
  /** Learning rate. */
  lr: number;
  /** How slowly the moments of the gradient and of its square move. Default [0.9, 0.95]. */
  betas?: readonly [number, number];
  /** Decoupled, as AdamW's: a step takes lr·weightDecay of the parameter away. Default 0. */
  weightDecay?: number;
}

/**
 * Adam with atan2 in the place of the division, which needs no ε and does not depend on the scale of the gradients (Everett et
 * al., arXiv 2407.05872): see `shaders/adam_atan2.wgsl`. Steps are counted on the GPU, so that a step may be recorded.
 */
export class AdamAtan2 {
  private readonly device: Device;
  /** First and second moments, by parameter. */
  private readonly moments: readonly { m: Tensor; v: Tensor }[];
  private readonly rate: Tensor;
  private readonly corrections: Tensor;
  private readonly rates: Tensor;
  private readonly params: { rate1: number; rate2: number };
  private readonly weightDecay: number;

  /** @throws UserError when something is no parameter, or an option no sensible number */
  constructor(
    readonly parameters: readonly Tensor[],
    { lr, betas = [0.9, 0.95], weightDecay = 0 }: AdamAtan2Options = {} as AdamAtan2Options,
  ) {
    const [beta1, beta2]: readonly number[] = Array.isArray(betas) ? betas : [];
    this.device = deviceOf('AdamAtan2', parameters);
    checkOption('AdamAtan2', 'lr', lr, 0);
    checkOption('AdamAtan2', 'the first of betas', beta1, 0, 1);
    checkOption('AdamAtan2', 'the second of betas', beta2, 0, 1);
    checkOption('AdamAtan2', 'weightDecay', weightDecay, 0);
    this.params = { rate1: 1 - beta1, rate2: 1 - beta2 };
    this.weightDecay = weightDecay;
    const [first, second] = [zerosLike(this.device, parameters), zerosLike(this.device, parameters)];
    this.moments = first.map((m, i) => ({ m, v: second[i] }));
    this.rate = scalarOf(this.device, lr);
    [this.corrections, this.rates] = this.device.unscoped(() =>
      [2, 3].map((size) => Tensor.from(this.device, new Float32Array(size))),
    );
  }

  /** Sets the learning rate of the steps from now on, recorded ones too. Not to be set within a recording. */
  set lr(value: number) {
    checkOption('AdamAtan2', 'lr', value, 0);
    this.rate.write(Float32Array.of(value));
  }

  /**
   * One step on the gradients that `backward` gave. May be recorded.
   *
   * @throws UserError when a parameter has no gradient
   */
  step(gradients: ReadonlyMap<Tensor, Tensor>): void {
    const { device, params, rate, corrections, rates } = this;
    const all = this.parameters.map((p) => gradientOf('AdamAtan2', p, gradients));
    launch(
      device,
      adamRates,
      { lr: rate, corrections, rates },
      { ...params, weight_decay: this.weightDecay },
    );
    this.parameters.forEach((p, i) => {
      launch(device, adamAtan2, { g: all[i], rates, p, ...this.moments[i] }, { length: p.size, ...params });
    });
  }

  /** Frees what it keeps, not the parameters. */
  dispose(): void {
    const moments = this.moments.flatMap(({ m, v }) => [m, v]);
    for (const tensor of [...moments, this.rate, this.corrections, this.rates]) tensor.dispose();
  }

  /** For `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
