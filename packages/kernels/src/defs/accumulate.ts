import { type KernelCheck, uniformArray } from '../checks/check.ts';
import type { Kernel } from '../kernel.ts';
import { accumulate as text } from '../shaders.gen.ts';
import { add } from './add.ts';

export type AccumulateParams = { length: number };

export const accumulate: Kernel<AccumulateParams> = { ...add, name: 'accumulate', text };

export const check: KernelCheck<AccumulateParams> = {
  kernel: accumulate,
  cases: [{ length: 1 }, { length: 6 }, { length: 1020 }],
  inputs: ({ length }, random) => ({ x: uniformArray(random, length), y: uniformArray(random, length) }),
  outputs: () => ({}),
  reference: ({ x, y }) => ({ y: Float64Array.from(y, (value, i) => value + x[i]) }),
  tolerance: () => 0, // sums below 2 of multiples of 2^-23 are exact in f32
};
