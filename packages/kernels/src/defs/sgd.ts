import { type KernelCheck, UNIT_ROUNDOFF, uniformArray } from '../checks/check.ts';
import { elementPacks, type Kernel, linearGrid } from '../kernel.ts';
import { sgd as text } from '../shaders.gen.ts';

export type SgdParams = { length: number; momentum: number; weight_decay: number };

export const sgd: Kernel<SgdParams> = {
  name: 'sgd',
  text,
  constants: elementPacks,
  workgroups: ({ length }, { GROUP, PACK }) => linearGrid(length / PACK, GROUP),
  flops: ({ length }) => 6 * length,
  bytes: ({ length }) => 20 * length,
};

export const check: KernelCheck<SgdParams> = {
  kernel: sgd,
  cases: [
    { length: 1, momentum: 0, weight_decay: 0 },
    { length: 1003, momentum: 0.9, weight_decay: 0.01 },
    { length: 78, momentum: 0, weight_decay: 0.1 },
    { length: 1300, momentum: 0.9, weight_decay: 0 },
  ],
  inputs: ({ length }, random) => ({
    lr: Float32Array.of(0.3),
    g: uniformArray(random, length),
    p: uniformArray(random, length),
    velocity: uniformArray(random, length),
  }),
  outputs: () => ({}),
  reference({ g, p, velocity, lr }, { momentum, weight_decay }) {
    const after = Float64Array.from(velocity, (value, i) => momentum * value + g[i] + weight_decay * p[i]);
    return { p: Float64Array.from(p, (value, i) => value - lr[0] * after[i]), velocity: after };
  },
  // Momentum and decay rounded to f32, three products, three sums, few of them of the largest.
  tolerance: () => 3 * UNIT_ROUNDOFF,
};
