import { type KernelCheck, uniformArray } from '../checks/check.ts';
import { elementPacks, type Kernel, linearGrid } from '../kernel.ts';
import { relu as text } from '../shaders.gen.ts';

export type ReluParams = { length: number };

export const relu: Kernel<ReluParams> = {
  name: 'relu',
  text,
  constants: elementPacks,
  workgroups: ({ length }, { GROUP, PACK }) => linearGrid(length / PACK, GROUP),
  flops: ({ length }) => length,
  bytes: ({ length }) => 8 * length,
};

/** max(x, 0) in float64. */
export function reluReference(x: ArrayLike<number>): Float64Array {
  return Float64Array.from(x, (value) => Math.max(value, 0));
}

export const check: KernelCheck<ReluParams> = {
  kernel: relu,
  cases: [{ length: 1 }, { length: 66 }, { length: 1003 }, { length: 1300 }],
  // Every seventh is 0.
  inputs: ({ length }, random) => ({
    x: uniformArray(random, length).map((value, i) => (i % 7 === 3 ? 0 : value)),
  }),
  outputs: ({ length }) => ({ y: [length] }),
  reference: ({ x }) => ({ y: reluReference(x) }),
  tolerance: () => 0, // moves, computes nothing
};
