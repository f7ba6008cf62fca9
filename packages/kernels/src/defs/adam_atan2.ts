import { type KernelCheck, UNIT_ROUNDOFF, uniformArray } from '../checks/check.ts';
import { elementPacks, type Kernel, linearGrid } from '../kernel.ts';
import { adam_atan2 as text } from '../shaders.gen.ts';

export type AdamAtan2Params = { length: number; rate1: number; rate2: number };

export const adamAtan2: Kernel<AdamAtan2Params> = {
  name: 'adam_atan2',
  text,
  constants: elementPacks,
  workgroups: ({ length }, { GROUP, PACK }) => linearGrid(length / PACK, GROUP),
  flops: ({ length }) => 30 * length,
  bytes: ({ length }) => 28 * length,
};

export const check: KernelCheck<AdamAtan2Params> = {
  kernel: adamAtan2,
  cases: [
    { length: 1, rate1: 0.1, rate2: 0.05 },
    { length: 1003, rate1: 0.1, rate2: 0.05 },
    { length: 78, rate1: 0.1, rate2: 0.05 },
    { length: 1300, rate1: 0.1, rate2: 0.05 },
  ],
  // All orders of magnitude of m/√v, in one case those about 1, both signs; every fifth entry has never had a gradient.
  inputs({ length }, random) {
    const none = (i: number) => i % 5 === 4;
    const scale = (i: number) => 10 ** (((i % 13) - 6) / (length === 1300 ? 12 : 1));
    return {
      rates: length === 1 ? Float32Array.of(0.1, 1, 1) : Float32Array.of(0, 0.5, 4.47),
      g: uniformArray(random, length).map((value, i) => (none(i) ? 0 : value * scale(i))),
      p: uniformArray(random, length),
      m: uniformArray(random, length).map((value, i) => (none(i) ? 0 : value)),
      v: uniformArray(random, length).map((value, i) => (none(i) ? 0 : Math.abs(value) * scale(i + 5))),
    };
  },
  hard: ({ length }, random) => ({
    // Where p is 0 the arctangent stands alone, and where it is small, so is what it may be off.
    'nothing but a small step': () => ({
      rates: Float32Array.of(0, 1, 1),
      g: new Float32Array(length),
      p: new Float32Array(length),
      m: uniformArray(random, length).map((value) => 0.4 * value),
      v: new Float32Array(length).fill(1),
    }),
  }),
  outputs: () => ({}),
  reference({ g, p, m, v, rates: [decay, step_size, v_correction] }, { rate1, rate2 }) {
    const mean = Float64Array.from(m, (value, i) => value + rate1 * (g[i] - value));
    const square = Float64Array.from(v, (value, i) => value + rate2 * (g[i] * g[i] - value));
    const after = Float64Array.from(
      p,
      (value, i) =>
        value * (1 - decay) - step_size * Math.atan2(mean[i], Math.sqrt(square[i]) * v_correction),
    );
    return { p: after, m: mean, v: square };
  },
  // Rates rounded to f32, a difference, a product and a sum; in v a product more. In p what atan2 is off weighs as
  // much as its argument's error, three roundings, in steps of half of p: but near 0, where it is off by little.
  tolerance: (_, { sqrt, division }) => ({
    p: (1.5 + sqrt + division) * UNIT_ROUNDOFF,
    m: 3 * UNIT_ROUNDOFF,
    v: 2 * UNIT_ROUNDOFF,
  }),
};
