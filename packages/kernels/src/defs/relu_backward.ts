import { type KernelCheck, uniformArray } from '../checks/check.ts';
import { elementPacks, type Kernel, linearGrid } from '../kernel.ts';
import { relu_backward as text } from '../shaders.gen.ts';
import { type ReluParams, reluReference } from './relu.ts';

export const reluBackward: Kernel<ReluParams> = {
  name: 'relu_backward',
  text,
  constants: elementPacks,
  workgroups: ({ length }, { GROUP, PACK }) => linearGrid(length / PACK, GROUP),
  flops: ({ length }) => length,
  bytes: ({ length }) => 12 * length,
};

export const check: KernelCheck<ReluParams> = {
  kernel: reluBackward,
  cases: [{ length: 1 }, { length: 66 }, { length: 1003 }, { length: 1300 }],
  inputs: ({ length }, random) => ({
    y: Float32Array.from(reluReference(uniformArray(random, length))),
    dy: uniformArray(random, length),
  }),
  outputs: ({ length }) => ({ dx: [length] }),
  reference: ({ y, dy }) => ({ dx: Float64Array.from(dy, (value, i) => (y[i] > 0 ? value : 0)) }),
  tolerance: () => 0, // moves, computes nothing
};
