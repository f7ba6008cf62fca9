import { type KernelCheck, uniformArray } from '../checks/check.ts';
import { elementPacks, type Kernel, linearGrid } from '../kernel.ts';
import { add_bias as text } from '../shaders.gen.ts';

export type AddBiasParams = { rows: number; width: number };

export const addBias: Kernel<AddBiasParams> = {
  name: 'add_bias',
  text,
  constants: ({ width }) => elementPacks({ length: width }),
  workgroups: ({ rows, width }, { GROUP, PACK }) => linearGrid((rows * width) / PACK, GROUP),
  flops: ({ rows, width }) => rows * width,
  bytes: ({ rows, width }) => 4 * (2 * rows + 1) * width,
};

export const check: KernelCheck<AddBiasParams> = {
  kernel: addBias,
  cases: [
    { rows: 1, width: 1 },
    { rows: 13, width: 43 },
    { rows: 7, width: 34 },
    { rows: 17, width: 64 },
  ],
  inputs: ({ rows, width }, random) => ({
    x: uniformArray(random, rows * width),
    bias: uniformArray(random, width),
  }),
  outputs: ({ rows, width }) => ({ y: [rows, width] }),
  reference: ({ x, bias }, { width }) => ({
    y: Float64Array.from(x, (value, i) => value + bias[i % width]),
  }),
  tolerance: () => 0, // sums below 2 of multiples of 2^-23 are exact in f32
};
