import { type KernelCheck, UNIT_ROUNDOFF, uniformArray } from '../checks/check.ts';
import { elementPacks, type Kernel, linearGrid } from '../kernel.ts';
import { lerp as text } from '../later-shaders.gen.ts';

export type LerpParams = { length: number; weight: number };

export const lerp: Kernel<LerpParams> = {
  name: 'lerp',
  text,
  constants: elementPacks,
  workgroups: ({ length }, { GROUP, PACK }) => linearGrid(length / PACK, GROUP),
  flops: ({ length }) => 3 * length,
  bytes: ({ length }) => 12 * length,
};

export const check: KernelCheck<LerpParams> = {
  kernel: lerp,
  cases: [
    { length: 1, weight: 0.25 },
    { length: 66, weight: 0.001 },
    { length: 1000, weight: 0.9 },
  ],
  inputs: ({ length }, random) => ({ x: uniformArray(random, length), y: uniformArray(random, length) }),
  outputs: () => ({}),
  // With the weight that the kernel gets: 0.001 is none of f32.
  reference: ({ x, y }, { weight }) => ({
    y: Float64Array.from(y, (value, i) => value + Math.fround(weight) * (x[i] - value)),
  }),
  // The difference, at most 2, and its product with the weight are rounded, and the sum, at most 1, too.
  tolerance: (_params) => (1 + 3 * Math.fround(_params.weight)) * UNIT_ROUNDOFF,
};
