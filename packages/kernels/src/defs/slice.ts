import { type KernelCheck, uniformArray } from '../checks/check.ts';
import { type Kernel, linearGrid } from '../kernel.ts';
import { slice as text } from '../shaders.gen.ts';

export type SliceParams = {
  /** Elements of the result. */
  length: number;
  /** Elements of x. */
  available: number;
  /** The element of x that comes first; negative where zeros come before it. */
  first: number;
};

export const slice: Kernel<SliceParams> = {
  name: 'slice',
  text,
  workgroups: ({ length }, { GROUP }) => linearGrid(length, GROUP),
  flops: () => 0,
  bytes: ({ length }) => 8 * length,
};

export const check: KernelCheck<SliceParams> = {
  kernel: slice,
  cases: [
    { length: 1, available: 1, first: 0 },
    { length: 130, available: 403, first: 201 },
    { length: 202, available: 403, first: 201 }, // up to the last
    { length: 403, available: 130, first: -201 }, // zeros before and behind
    { length: 140, available: 131, first: -9 }, // zeros before
    { length: 140, available: 131, first: 0 }, // zeros behind
  ],
  inputs: ({ available }, random) => ({ x: uniformArray(random, available) }),
  outputs: ({ length }) => ({ y: [length] }),
  reference: ({ x }, { length, first }) => ({
    y: Float64Array.from({ length }, (_, i) => x[first + i] ?? 0),
  }),
  tolerance: () => 0, // moves, computes nothing
};
