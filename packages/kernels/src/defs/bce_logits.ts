import type { Philox } from '@hrm-webgpu/core';
import { type KernelCheck, UNIT_ROUNDOFF, uniformArray } from '../checks/check.ts';
import { type Kernel, linearGrid } from '../kernel.ts';
import { bce_logits as text } from '../shaders.gen.ts';

export type BceParams = { length: number };

export const bceLogits: Kernel<BceParams> = {
  name: 'bce_logits',
  text,
  workgroups: ({ length }, { GROUP }) => linearGrid(length, GROUP),
  flops: ({ length }) => 6 * length,
  bytes: ({ length }) => 12 * length,
};

/** Binary cross-entropy of one logit in float64. */
export function bceReference(x: number, target: number): number {
  return Math.max(x, 0) - x * target + Math.log1p(Math.exp(-Math.abs(x)));
}

/** Logits from −30 to 30 and targets from 0 to 1, both ends included. */
export function bceInputs({ length }: BceParams, random: Philox) {
  return {
    x: uniformArray(random, length).map((value) => 30 * value),
    targets: uniformArray(random, length).map((value) => Math.min(1, Math.max(0, 0.5 + value))),
  };
}

export const check: KernelCheck<BceParams> = {
  kernel: bceLogits,
  cases: [{ length: 1 }, { length: 134 }],
  inputs: bceInputs,
  outputs: ({ length }) => ({ loss: [length] }),
  reference: ({ x, targets }) => ({
    loss: Float64Array.from(x, (value, i) => bceReference(value, targets[i])),
  }),
  // Products up to 30 and their difference, a log (2⁻²¹ absolute near 1), against a largest loss above 1.
  tolerance: () => 16 * UNIT_ROUNDOFF,
};
