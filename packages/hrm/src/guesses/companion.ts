/** What guesses do on the GPU beside thinking: noise, and how much an answer still changes. */

import { Tensor } from '@hrm-webgpu/core';
import { latentNoiseKernel, launch, rowDistanceKernel } from '@hrm-webgpu/kernels';
import type { AnswerOutput } from '../model/act.ts';
import type { Carry } from '../model/carry.ts';
import type { Companion, MakeCompanion } from '../model/inference.ts';
import type { HrmModel } from '../model/model.ts';

export interface CompanionOptions {
  /** σ of the noise on z_L before every segment of a row but its first, for rows whose guess is not 0; none if it is 0. */
  noise: number;
  seed: number;
  /** Whether to tell how much logits change: ‖logits − those a segment before‖₂. */
  changes: boolean;
}

/** Philox stream of the noise; any number that nothing else takes. */
const NOISE_STREAM = 0x67756573;

/** Undefined where there is nothing to do. */
export function companionOf(options: CompanionOptions): MakeCompanion | undefined {
  if (options.noise === 0 && !options.changes) return undefined;
  return (model, batch) => new GuessCompanion(model, batch, options);
}

class GuessCompanion implements Companion {
  /** [batch] u32 */
  private readonly guesses: Tensor | undefined;
  /** The logits of the segment before. */
  private readonly logits: Tensor | undefined;

  constructor(
    private readonly model: HrmModel,
    private readonly batch: number,
    private readonly options: CompanionOptions,
  ) {
    const { device, positions, config } = model;
    if (options.noise > 0) this.guesses = Tensor.from(device, new Uint32Array(batch));
    if (options.changes) this.logits = Tensor.empty(device, [batch, positions, config.vocab_size]);
  }

  before({ current: { z_L, steps, halted } }: Carry): void {
    const { guesses, batch } = this;
    if (!guesses) return;
    const { noise: sigma, seed } = this.options;
    const key = { key0: seed >>> 0, key1: Math.floor(seed / 2 ** 32), stream: NOISE_STREAM };
    const tensors = { guess: guesses, steps, halted, z: z_L };
    launch(this.model.device, latentNoiseKernel, tensors, { batch, length: z_L.size / batch, sigma, ...key });
  }

  /** The positions in front of the tokens do not count. */
  after({ logits }: AnswerOutput): Tensor | undefined {
    if (!this.logits) return undefined;
    const { device, prefix, config } = this.model;
    const changes = Tensor.empty(device, [this.batch]);
    const params = { rows: this.batch, columns: logits.size / this.batch, first: prefix * config.vocab_size };
    launch(device, rowDistanceKernel, { a: logits, b: this.logits, y: changes }, params);
    this.logits.assign(logits);
    return changes;
  }

  offer(guesses: Uint32Array): void {
    this.guesses?.write(guesses);
  }

  dispose(): void {
    this.guesses?.dispose();
    this.logits?.dispose();
  }
}
