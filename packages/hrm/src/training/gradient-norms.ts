import { Tensor } from '@hrm-webgpu/core';
import { launch, rowNormKernel } from '@hrm-webgpu/kernels';
import type { HrmModel } from '../model/model.ts';

/** Euclidean norms of a step's gradient: of everything that Adam trains (all but puzzle rows), and of what is in each module. */
export interface GradientNorms {
  all: number;
  H_level: number;
  L_level: number;
}

/** Computes the norms of gradients on the device. */
export class GradientNormMeter {
  /** One for each trained tensor, in their order. */
  private readonly norms: Tensor;

  constructor(private readonly model: HrmModel) {
    this.norms = Tensor.empty(model.device, [model.trained.length]);
  }

  /** Appends what computes them, or records it to be done on demand: it reads every gradient once. */
  measure(gradients: ReadonlyMap<Tensor, Tensor>): void {
    const { device, trained } = this.model;
    trained.forEach(([, parameter], at) => {
      const x = gradients.get(parameter) as Tensor;
      const columns = x.shape[x.shape.length - 1];
      const rows = x.size / columns;
      device.scope(() => {
        const y = Tensor.empty(device, [rows]);
        launch(device, rowNormKernel, { x, y }, { rows, columns, at: 0 });
        launch(device, rowNormKernel, { x: y, y: this.norms }, { rows: 1, columns: rows, at });
      });
    });
  }

  /** Those that were measured last. */
  async read(): Promise<GradientNorms> {
    const { trained } = this.model;
    const norms = await this.norms.readF32();
    const together = (prefix: string) =>
      Math.hypot(...norms.filter((_, i) => trained[i][0].startsWith(prefix)));
    return { all: together(''), H_level: together('H_level.'), L_level: together('L_level.') };
  }

  dispose(): void {
    this.norms.dispose();
  }
}
