import { type KernelCheck, UNIT_ROUNDOFF, uniformArray } from '../checks/check.ts';
import { type Kernel, linearGrid } from '../kernel.ts';
import { bce_logits_backward as text } from '../shaders.gen.ts';
import { type BceParams, bceFar, bceInputs } from './bce_logits.ts';

export const bceLogitsBackward: Kernel<BceParams> = {
  name: 'bce_logits_backward',
  text,
  workgroups: ({ length }, { GROUP }) => linearGrid(length, GROUP),
  flops: ({ length }) => 5 * length,
  bytes: ({ length }) => 16 * length,
};

export const check: KernelCheck<BceParams> = {
  kernel: bceLogitsBackward,
  cases: [{ length: 2 }, { length: 134 }], // the second logit is not saturated: its gradient sets the scale
  inputs: (params, random) => ({ ...bceInputs(params, random), d_loss: uniformArray(random, params.length) }),
  hard: bceFar,
  outputs: ({ length }) => ({ dx: [length] }),
  reference: ({ x, targets, d_loss }) => ({
    dx: Float64Array.from(x, (value, i) => d_loss[i] * (1 / (1 + Math.exp(-value)) - targets[i])),
  }),
  // The sigmoid's slope of 1/4 times what exp is off, a division, and the roundings of a difference and a product below 1.
  tolerance: (_, { exp, division }) => (exp(1) / 4 + division + 1) * UNIT_ROUNDOFF,
};
