import { type KernelCheck, UNIT_ROUNDOFF, uniformArray } from '../checks/check.ts';
import { type Kernel, linearGrid } from '../kernel.ts';
import { scaled_head as text } from '../shaders.gen.ts';

export type ScaledHeadParams = { batch: number; row_length: number; width: number; scale: number };

export const scaledHead: Kernel<ScaledHeadParams> = {
  name: 'scaled_head',
  text,
  workgroups: ({ batch, width }, { GROUP }) => linearGrid(batch * width, GROUP),
  flops: ({ batch, width }) => batch * width,
  bytes: ({ batch, width }) => 8 * batch * width,
};

export const check: KernelCheck<ScaledHeadParams> = {
  kernel: scaledHead,
  cases: [
    { batch: 1, row_length: 1, width: 1, scale: 2 },
    { batch: 5, row_length: 77, width: 43, scale: 5.7 },
  ],
  inputs: ({ batch, row_length }, random) => ({ x: uniformArray(random, batch * row_length) }),
  outputs: ({ batch, width }) => ({ y: [batch, width] }),
  reference: ({ x }, { batch, row_length, width, scale }) => ({
    y: Float64Array.from(
      { length: batch * width },
      (_, i) => scale * x[Math.floor(i / width) * row_length + (i % width)],
    ),
  }),
  tolerance: () => 2 * UNIT_ROUNDOFF, // the scale's rounding and one product
};
