import type { KernelCheck } from '../checks/check.ts';
import { type Kernel, linearGrid } from '../kernel.ts';
import { fill as text } from '../shaders.gen.ts';

export type FillParams = { length: number; value: number };

export const fill: Kernel<FillParams> = {
  name: 'fill',
  text,
  workgroups: ({ length }, { GROUP }) => linearGrid(length, GROUP),
  flops: () => 0,
  bytes: ({ length }) => 4 * length,
};

export const check: KernelCheck<FillParams> = {
  kernel: fill,
  cases: [
    { length: 1, value: 0 },
    { length: 1003, value: -2.5 },
  ],
  inputs: () => ({}),
  outputs: ({ length }) => ({ y: [length] }),
  reference: (_, { length, value }) => ({ y: new Float64Array(length).fill(value) }),
  tolerance: () => 0, // moves, computes nothing
};
