import { type KernelCheck, uniformArray } from '../checks/check.ts';
import { elementPacks, type Kernel, linearGrid } from '../kernel.ts';
import { roofline_copy as text } from '../shaders.gen.ts';

export type RooflineCopyParams = { length: number };

export const rooflineCopy: Kernel<RooflineCopyParams> = {
  name: 'roofline_copy',
  text,
  constants: elementPacks,
  workgroups: ({ length }, { GROUP, PACK }) => linearGrid(length / PACK, GROUP),
  flops: () => 0,
  bytes: ({ length }) => 8 * length,
};

export const check: KernelCheck<RooflineCopyParams> = {
  kernel: rooflineCopy,
  cases: [{ length: 1 }, { length: 66 }, { length: 1004 }],
  variants: [{ GROUP: 256 }],
  inputs: ({ length }, random) => ({ x: uniformArray(random, length) }),
  outputs: ({ length }) => ({ y: [length] }),
  reference: ({ x }) => ({ y: Float64Array.from(x) }),
  tolerance: () => 0, // moves, computes nothing
};
