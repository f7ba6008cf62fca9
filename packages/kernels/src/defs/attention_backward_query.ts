import type { Philox } from '@hrm-webgpu/core';
import { type KernelCheck, uniformArray } from '../checks/check.ts';
import type { Kernel } from '../kernel.ts';
import { attention_backward_query as text } from '../shaders.gen.ts';
import {
  type AttentionParams,
  attentionBackwardReference,
  attentionCases,
  attentionInputs,
  attentionReference,
  attentionShape,
  farGradients,
  gradientTolerance,
  pairFlops,
  tokenBytes,
} from './attention.ts';

export const attentionBackwardQuery: Kernel<AttentionParams> = {
  name: 'attention_backward_query',
  text,
  madeFor: 'software', // a thread keeps a whole head in registers, which GPUs do not have
  ...attentionShape,
  flops: (params) => 3 * pairFlops(params),
  bytes: (params) => 6 * tokenBytes(params),
};

function inputsFrom(qkv: Float32Array, params: AttentionParams, random: Philox) {
  const { o, log_sum_exp } = attentionReference(qkv, params);
  return {
    qkv,
    o: Float32Array.from(o),
    d_o: uniformArray(random, o.length),
    log_sum_exp: Float32Array.from(log_sum_exp),
    d_qkv: new Float32Array(qkv.length),
  };
}

/** Sets the q part of d_qkv and leaves the rest of it alone: zeros before and after. */
export const check: KernelCheck<AttentionParams> = {
  kernel: attentionBackwardQuery,
  cases: attentionCases,
  inputs: (params, random) => inputsFrom(attentionInputs(params, random), params, random),
  hard: (params, random) => farGradients(params, random, (qkv) => inputsFrom(qkv, params, random)),
  outputs: ({ batch, seq_len, heads }) => ({ delta: [batch * heads, seq_len] }),
  reference({ qkv, o, d_o, log_sum_exp }, params) {
    const { d_qkv, delta } = attentionBackwardReference(qkv, o, d_o, log_sum_exp, params);
    const width = params.heads * params.head_dim;
    return { delta, d_qkv: d_qkv.map((value, i) => (i % (3 * width) < width ? value : 0)) };
  },
  tolerance: (params, errors, hard) => gradientTolerance(params, errors, hard),
};
