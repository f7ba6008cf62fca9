import { fewSignedSums, type KernelCheck, UNIT_ROUNDOFF, uniformArray } from '../checks/check.ts';
import type { Kernel } from '../kernel.ts';
import { matmul_naive as text } from '../shaders.gen.ts';
import { matmul, matmulReference } from './matmul.ts';

export type NaiveMatmulParams = { m: number; n: number; k: number };

export const matmulNaive: Kernel<NaiveMatmulParams> = {
  name: 'matmul_naive',
  text,
  workgroups: ({ m, n }, { GROUP }) => [Math.ceil(n / GROUP), m, 1],
  flops: (params) => matmul.flops(withStrides(params)),
  bytes: (params) => matmul.bytes(withStrides(params)),
};

const withStrides = (params: NaiveMatmulParams) => ({ ...params, a_row: params.k, a_column: 1 });

export const check: KernelCheck<NaiveMatmulParams> = {
  kernel: matmulNaive,
  cases: [
    { m: 1, n: 1, k: 1 },
    { m: 7, n: 11, k: 13 },
    { m: 17, n: 65, k: 33 },
  ],
  inputs: ({ m, n, k }, random) => ({ a: uniformArray(random, m * k), b: uniformArray(random, k * n) }),
  outputs: ({ m, n }) => ({ c: [m, n] }),
  reference: ({ a, b }, params) => ({ c: matmulReference(a, b, withStrides(params)) }),
  tolerance: ({ k }) => (1 + fewSignedSums(k)) * UNIT_ROUNDOFF, // see matmul, in one block
};
