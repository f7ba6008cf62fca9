/** An exponential moving average of the weights. Loaded where a run has `ema`. */
import { type Tensor, UserError } from '@hrm-webgpu/core';
import { launch, lerpKernel } from '@hrm-webgpu/kernels';
import type { TensorFile } from '../formats/tensor-file.ts';
import type { TrainConfig } from '../model/config.ts';
import { HrmModel } from '../model/model.ts';

/** What the average of a weight is called in checkpoints, before its name. */
const PREFIX = 'ema.';

/**
 * ā ← rate·ā + (1 − rate)·w after every step, for all that Adam-atan2 trains; it begins as the weights are. Puzzle rows are not
 * averaged: a step moves those of its batch alone, and of a large table there would be another one in memory.
 */
export class Average {
  private constructor(
    private readonly source: HrmModel,
    /** The averaged weights; puzzle rows and initial states are those of the source. */
    private readonly averaged: HrmModel,
    private readonly rate: number,
  ) {}

  /** @param file a checkpoint with the average; else it begins with the weights */
  static async of(source: HrmModel, { ema_rate }: TrainConfig, file?: TensorFile): Promise<Average> {
    const averaged = HrmModel.sharing(source);
    for (const [name, tensor] of averaged.trained) {
      if (!file) tensor.assign(source.weight(name));
      else if (file.names.includes(PREFIX + name)) await tensor.writePieces(file.piecesF32(PREFIX + name));
      else
        throw new UserError(
          `${file.name} lacks ${PREFIX}${name}, the average of a weight; use another checkpoint`,
        );
    }
    return new Average(source, averaged, ema_rate);
  }

  /** After a step; recorded with it. */
  update(): void {
    for (const [name, y] of this.averaged.trained) {
      const x = this.source.weight(name);
      launch(this.source.device, lerpKernel, { x, y }, { length: y.size, weight: 1 - this.rate });
    }
  }

  /** The model with the averaged weights, as they are now. */
  get model(): HrmModel {
    this.averaged.weightsChanged();
    return this.averaged;
  }

  /** What a checkpoint keeps. */
  get stored(): [string, Tensor][] {
    return this.averaged.trained.map(([name, tensor]) => [PREFIX + name, tensor]);
  }

  dispose(): void {
    this.averaged.dispose();
  }
}
