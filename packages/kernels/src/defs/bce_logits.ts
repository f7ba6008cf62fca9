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

/** Logits from −extent to extent and targets from 0 to 1, both ends included. */
export function bceInputs({ length }: BceParams, random: Philox, extent = 3) {
  return {
    x: uniformArray(random, length).map((value) => extent * value),
    targets: uniformArray(random, length).map((value) => Math.min(1, Math.max(0, 0.5 + value))),
  };
}

/** Logits that saturate the sigmoid, and beyond what exp has in f32. */
export const bceFar = (params: BceParams, random: Philox) => ({
  'logits up to 30': () => bceInputs(params, random, 30),
  'logits up to 1000': () => bceInputs(params, random, 1000),
});

const ALMOST_RIGHT = 'almost right';

/** Losses of a hundredth and less, where the series is summed. */
function almostRight({ length }: BceParams, random: Philox) {
  const x = uniformArray(random, length).map((value) => (value < 0 ? value - 4.7 : value + 4.7));
  return { x, targets: x.map((value) => (value < 0 ? 0 : 1)) };
}

export const check: KernelCheck<BceParams> = {
  kernel: bceLogits,
  cases: [{ length: 1 }, { length: 134 }],
  inputs: bceInputs,
  hard: (params, random) => ({
    ...bceFar(params, random),
    [ALMOST_RIGHT]: () => almostRight(params, random),
  }),
  outputs: ({ length }) => ({ loss: [length] }),
  reference: ({ x, targets }) => ({
    loss: Float64Array.from(x, (value, i) => bceReference(value, targets[i])),
  }),
  // A product, a difference and a sum of up to 30, and a log near 1, off absolutely, against a largest loss of 30, which is at most a
  // quarter less in a hundred draws; a single one may be a tenth of what it is the difference of.
  tolerance({ length }, { exp, log }, hard) {
    if (hard === ALMOST_RIGHT) return (exp(5) + 2) * UNIT_ROUNDOFF;
    return (length === 1 ? 10 : 1.25) * (1 + log / 4) * UNIT_ROUNDOFF;
  },
};
