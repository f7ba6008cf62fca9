import { type KernelCheck, UNIT_ROUNDOFF } from '../checks/check.ts';
import type { Kernel } from '../kernel.ts';
import { adam_rates as text } from '../shaders.gen.ts';

/** 1 − β₁ and 1 − β₂, weight decay. */
export type AdamRatesParams = { rate1: number; rate2: number; weight_decay: number };

export const adamRates: Kernel<AdamRatesParams> = {
  name: 'adam_rates',
  text,
  workgroups: () => [1, 1, 1],
  flops: () => 12,
  bytes: () => 40,
};

export const check: KernelCheck<AdamRatesParams> = {
  kernel: adamRates,
  cases: [
    { rate1: 0.1, rate2: 0.05, weight_decay: 0 },
    { rate1: 0.1, rate2: 0.001, weight_decay: 0.1 },
    { rate1: 0.5, rate2: 0.25, weight_decay: 1 },
  ],
  // Before the first step, after some, and after so many that both are 1.
  inputs: ({ rate1, rate2 }) => ({
    lr: Float32Array.of(0.01),
    corrections: Float32Array.from(
      rate1 === 0.5 ? [1, 1] : rate2 === 0.05 ? [0, 0] : [1 - (1 - rate1) ** 5, 1 - (1 - rate2) ** 5],
    ),
  }),
  outputs: () => ({ rates: [3] }),
  reference({ lr, corrections }, { rate1, rate2, weight_decay }) {
    const [first, second] = [
      corrections[0] + rate1 * (1 - corrections[0]),
      corrections[1] + rate2 * (1 - corrections[1]),
    ];
    return {
      corrections: Float64Array.of(first, second),
      rates: Float64Array.of(lr[0] * weight_decay, lr[0] / first, 1 / Math.sqrt(second)),
    };
  },
  // A rate rounded to f32, a product, a sum; a division or an inverse square root of that.
  tolerance: (_, { division, inverseSqrt }) => ({
    corrections: UNIT_ROUNDOFF,
    rates: Math.max(division, inverseSqrt + 0.5) * UNIT_ROUNDOFF,
  }),
};
