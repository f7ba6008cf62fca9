import type { Philox } from '@hrm-webgpu/core';
import { type KernelCheck, uniformArray } from '../checks/check.ts';
import type { Kernel } from '../kernel.ts';
import { attention_backward_key as text } from '../shaders.gen.ts';
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

export const attentionBackwardKey: Kernel<AttentionParams> = {
  name: 'attention_backward_key',
  text,
  madeFor: 'software', // a thread keeps a whole head in registers, which GPUs do not have
  ...attentionShape,
  flops: (params) => 4 * pairFlops(params),
  bytes: (params) => 6 * tokenBytes(params),
};

function inputsFrom(qkv: Float32Array, params: AttentionParams, random: Philox) {
  const { o, log_sum_exp } = attentionReference(qkv, params);
  const d_o = uniformArray(random, o.length);
  const { delta } = attentionBackwardReference(qkv, o, d_o, log_sum_exp, params);
  return {
    qkv,
    d_o,
    log_sum_exp: Float32Array.from(log_sum_exp),
    delta: Float32Array.from(delta),
    d_qkv: new Float32Array(qkv.length),
  };
}

/** Sets the k and v parts of d_qkv and leaves the q part alone: zeros before and after. */
export const check: KernelCheck<AttentionParams> = {
  kernel: attentionBackwardKey,
  cases: attentionCases,
  inputs: (params, random) => inputsFrom(attentionInputs(params, random), params, random),
  hard: (params, random) => farGradients(params, random, (qkv) => inputsFrom(qkv, params, random)),
  outputs: () => ({}),
  reference({ qkv, d_o, log_sum_exp }, params) {
    const { o } = attentionReference(qkv, params);
    const { d_qkv } = attentionBackwardReference(qkv, o, d_o, log_sum_exp, params);
    const width = params.heads * params.head_dim;
    return { d_qkv: d_qkv.map((value, i) => (i % (3 * width) < width ? 0 : value)) };
  },
  tolerance: (params, errors, hard) => gradientTolerance(params, errors, hard),
};
