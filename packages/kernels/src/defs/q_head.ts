import { fewSignedSums, type KernelCheck, UNIT_ROUNDOFF, uniformArray } from '../checks/check.ts';
import { type Kernel, linearGrid } from '../kernel.ts';
import { q_head as text } from '../shaders.gen.ts';

export type QHeadParams = { batch: number; seq_len: number; dim: number };

export const qHead: Kernel<QHeadParams> = {
  name: 'q_head',
  text,
  workgroups: ({ batch }, { GROUP }) => linearGrid(2 * batch, GROUP),
  flops: ({ batch, dim }) => 4 * batch * dim,
  bytes: ({ batch, dim }) => 4 * (batch + 2) * dim,
};

/** q [batch, 2] in float64. */
export function qHeadReference(
  z: ArrayLike<number>,
  weight: ArrayLike<number>,
  bias: ArrayLike<number>,
  { batch, seq_len, dim }: QHeadParams,
): Float64Array {
  return Float64Array.from({ length: 2 * batch }, (_, i) => {
    let sum = bias[i % 2];
    for (let j = 0; j < dim; j++) sum += z[Math.floor(i / 2) * seq_len * dim + j] * weight[(i % 2) * dim + j];
    return sum;
  });
}

export const qHeadCases: readonly QHeadParams[] = [
  { batch: 1, seq_len: 1, dim: 1 },
  { batch: 35, seq_len: 3, dim: 30 },
  { batch: 4, seq_len: 17, dim: 512 },
];

export const check: KernelCheck<QHeadParams> = {
  kernel: qHead,
  cases: qHeadCases,
  inputs: ({ batch, seq_len, dim }, random) => ({
    z: uniformArray(random, batch * seq_len * dim),
    weight: uniformArray(random, 2 * dim),
    bias: uniformArray(random, 2),
  }),
  outputs: ({ batch }) => ({ q: [batch, 2] }),
  reference: ({ z, weight, bias }, params) => ({ q: qHeadReference(z, weight, bias, params) }),
  tolerance: ({ dim }) => (1 + fewSignedSums(dim)) * UNIT_ROUNDOFF,
};
