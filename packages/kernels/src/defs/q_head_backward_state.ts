import { type KernelCheck, UNIT_ROUNDOFF, uniformArray } from '../checks/check.ts';
import { type Kernel, linearGrid } from '../kernel.ts';
import { q_head_backward_state as text } from '../shaders.gen.ts';
import { type QHeadParams, qHeadCases } from './q_head.ts';

export const qHeadBackwardState: Kernel<QHeadParams> = {
  name: 'q_head_backward_state',
  text,
  workgroups: ({ batch, seq_len, dim }, { GROUP }) => linearGrid(batch * seq_len * dim, GROUP),
  flops: ({ batch, dim }) => 4 * batch * dim,
  bytes: ({ batch, seq_len, dim }) => 4 * batch * seq_len * dim,
};

export const check: KernelCheck<QHeadParams> = {
  kernel: qHeadBackwardState,
  cases: qHeadCases,
  inputs: ({ batch, dim }, random) => ({
    dq: uniformArray(random, 2 * batch),
    weight: uniformArray(random, 2 * dim),
  }),
  outputs: ({ batch, seq_len, dim }) => ({ dz: [batch * seq_len, dim] }),
  reference({ dq, weight }, { batch, seq_len, dim }) {
    const dz = new Float64Array(batch * seq_len * dim);
    for (let row = 0; row < batch; row++) {
      for (let i = 0; i < dim; i++) {
        dz[row * seq_len * dim + i] = dq[2 * row] * weight[i] + dq[2 * row + 1] * weight[dim + i];
      }
    }
    return { dz };
  },
  tolerance: () => 2.5 * UNIT_ROUNDOFF, // two products and a sum, against a largest result above 1/2
};
