import { fewSignedSums, type KernelCheck, UNIT_ROUNDOFF, uniformArray } from '../checks/check.ts';
import { elementPacks, type Kernel, linearGrid } from '../kernel.ts';
import { batch_sum as text } from '../shaders.gen.ts';

export type BatchSumParams = { batch: number; length: number; scale: number };

export const batchSum: Kernel<BatchSumParams> = {
  name: 'batch_sum',
  text,
  constants: elementPacks,
  workgroups: ({ length }, { GROUP, PACK }) => linearGrid(length / PACK, GROUP),
  flops: ({ batch, length }) => batch * length,
  bytes: ({ batch, length }) => 4 * (batch + 1) * length,
};

export const check: KernelCheck<BatchSumParams> = {
  kernel: batchSum,
  cases: [
    { batch: 1, length: 1, scale: 2 },
    { batch: 7, length: 131, scale: -0.7 },
    { batch: 3, length: 70, scale: 1 },
    { batch: 5, length: 1036, scale: 1 },
  ],
  inputs: ({ batch, length }, random) => ({ x: uniformArray(random, batch * length) }),
  outputs: ({ length }) => ({ y: [length] }),
  reference({ x }, { batch, length, scale }) {
    const y = new Float64Array(length);
    for (let i = 0; i < batch * length; i++) y[i % length] += scale * x[i];
    return { y };
  },
  tolerance: ({ batch }) => (1 + fewSignedSums(batch)) * UNIT_ROUNDOFF, // and the scale's rounding
};
