import { type KernelCheck, uniformArray } from '../checks/check.ts';
import { elementPacks, type Kernel, linearGrid } from '../kernel.ts';
import { add as text } from '../shaders.gen.ts';

export type AddParams = { length: number };

export const add: Kernel<AddParams> = {
  name: 'add',
  text,
  constants: elementPacks,
  workgroups: ({ length }, { GROUP, PACK }) => linearGrid(length / PACK, GROUP),
  flops: ({ length }) => length,
  bytes: ({ length }) => 12 * length,
};

export const check: KernelCheck<AddParams> = {
  kernel: add,
  // The last case is just too long for one dimension of the grid.
  cases: [{ length: 1 }, { length: 66 }, { length: 1000 }],
  inputs: ({ length }, random) => ({ a: uniformArray(random, length), b: uniformArray(random, length) }),
  outputs: ({ length }) => ({ c: [length] }),
  reference: ({ a, b }) => ({ c: Float64Array.from(a, (value, i) => value + b[i]) }),
  tolerance: () => 0, // sums below 2 of multiples of 2^-23 are exact in f32
};
