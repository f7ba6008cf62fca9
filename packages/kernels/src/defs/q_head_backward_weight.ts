import { fewSignedSums, type KernelCheck, UNIT_ROUNDOFF, uniformArray } from '../checks/check.ts';
import { type Kernel, linearGrid } from '../kernel.ts';
import { q_head_backward_weight as text } from '../shaders.gen.ts';
import { type QHeadParams, qHeadCases } from './q_head.ts';

export const qHeadBackwardWeight: Kernel<QHeadParams> = {
  name: 'q_head_backward_weight',
  text,
  workgroups: ({ dim }, { GROUP }) => linearGrid(2 * dim, GROUP),
  flops: ({ batch, dim }) => 4 * batch * dim,
  bytes: ({ batch, dim }) => 4 * (batch + 2) * dim,
};

export const check: KernelCheck<QHeadParams> = {
  kernel: qHeadBackwardWeight,
  cases: qHeadCases,
  inputs: ({ batch, seq_len, dim }, random) => ({
    dq: uniformArray(random, 2 * batch),
    z: uniformArray(random, batch * seq_len * dim),
  }),
  outputs: ({ dim }) => ({ d_weight: [2, dim], d_bias: [2] }),
  reference({ dq, z }, { batch, seq_len, dim }) {
    const d_weight = new Float64Array(2 * dim);
    const d_bias = new Float64Array(2);
    for (let i = 0; i < 2 * batch; i++) {
      d_bias[i % 2] += dq[i];
      for (let j = 0; j < dim; j++)
        d_weight[(i % 2) * dim + j] += dq[i] * z[Math.floor(i / 2) * seq_len * dim + j];
    }
    return { d_weight, d_bias };
  },
  // The two of d_bias may both be small by chance: twice as far off.
  tolerance: ({ batch }) => ({
    d_weight: (1 + fewSignedSums(batch)) * UNIT_ROUNDOFF,
    d_bias: 2 * (1 + fewSignedSums(batch)) * UNIT_ROUNDOFF,
  }),
};
