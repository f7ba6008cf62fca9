import type { Device, Tensor } from '@hrm-webgpu/core';
import { sgd } from '../defs/sgd.ts';
import { launch } from '../kernel.ts';
import { checkOption, deviceOf, gradientOf, scalarOf, zerosLike } from './parameters.ts';

export interface SGDOptions {
  /** Learning rate. */
  lr: number;
  /** Default 0. */
  momentum?: number;
  /** L2 regularisation: so much of the parameter is added to its gradient. Default 0. */
  weightDecay?: number;
}

/** Gradient descent with momentum and weight decay, as PyTorch's SGD: see `shaders/sgd.wgsl`. */
export class SGD {
  private readonly device: Device;
  private readonly velocities: readonly Tensor[];
  private readonly rate: Tensor;
  private readonly params: { momentum: number; weight_decay: number };

  /** @throws UserError when something is no parameter, or an option no sensible number */
  constructor(
    readonly parameters: readonly Tensor[],
    { lr, momentum = 0, weightDecay = 0 }: SGDOptions = {} as SGDOptions,
  ) {
    this.device = deviceOf('SGD', parameters);
    checkOption('SGD', 'lr', lr, 0);
    checkOption('SGD', 'momentum', momentum, 0, 1);
    checkOption('SGD', 'weightDecay', weightDecay, 0);
    this.params = { momentum, weight_decay: weightDecay };
    this.velocities = zerosLike(this.device, parameters);
    this.rate = scalarOf(this.device, lr);
  }

  /** Sets the learning rate of the steps from now on, recorded ones too. Not to be set within a recording. */
  set lr(value: number) {
    checkOption('SGD', 'lr', value, 0);
    this.rate.write(Float32Array.of(value));
  }

  /**
   * One step on the gradients that `backward` gave. May be recorded.
   *
   * @throws UserError when a parameter has no gradient
   */
  step(gradients: ReadonlyMap<Tensor, Tensor>): void {
    const all = this.parameters.map((p) => gradientOf('SGD', p, gradients));
    this.parameters.forEach((p, i) => {
      const tensors = { g: all[i], lr: this.rate, p, velocity: this.velocities[i] };
      launch(this.device, sgd, tensors, { length: p.size, ...this.params });
    });
  }

  /** Frees what it keeps, not the parameters. */
  dispose(): void {
    for (const tensor of [...this.velocities, this.rate]) tensor.dispose();
  }

  /** For `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
