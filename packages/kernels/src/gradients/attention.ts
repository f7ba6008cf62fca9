import { type GradientRule, Tensor } from '@hrm-webgpu/core';
import { softwareAttentionBackwardKey, softwareAttentionBackwardQuery } from '#software-kernels';
import { attentionBackwardKey } from '../defs/attention_backward_key.ts';
import { attentionBackwardQuery } from '../defs/attention_backward_query.ts';
import { attentionWorkgroupBackwardKey } from '../defs/attention_workgroup_backward_key.ts';
import { attentionWorkgroupBackwardQuery } from '../defs/attention_workgroup_backward_query.ts';
import { run } from '../operation.ts';
import { rotate } from '../ops/attention.ts';

/** The two halves of the gradient: one kernel owns a query, the other a key. */
export const attentionBackwardOperations = {
  query: {
    name: 'attention_backward_query',
    kernels: [...softwareAttentionBackwardQuery, attentionBackwardQuery, attentionWorkgroupBackwardQuery],
  },
  key: {
    name: 'attention_backward_key',
    kernels: [...softwareAttentionBackwardKey, attentionBackwardKey, attentionWorkgroupBackwardKey],
  },
};

/** Of qkv, from recomputed weights: nothing of size [seq_len, seq_len] is stored. */
export const attentionGradient: GradientRule = (d_o, { saved: [qkv, o, log_sum_exp], attributes }) => {
  const { device, shape } = qkv;
  const { heads } = attributes;
  const [batch, seq_len, width] = shape;
  const params = { batch, seq_len, heads, head_dim: width / (3 * heads) };
  const d_qkv = Tensor.empty(device, shape);
  const delta = Tensor.empty(device, [batch, heads, seq_len]);
  const { query, key } = attentionBackwardOperations;
  run(device, query, { qkv, o, d_o, log_sum_exp, delta, d_qkv }, params);
  run(device, key, { qkv, d_o, log_sum_exp, delta, d_qkv }, params);
  return [d_qkv];
};

/** A rotation back. */
export const ropeGradient: GradientRule = (dy, { saved: [cosines, sines], attributes }) => [
  rotate(dy, { cosines, sines }, attributes.heads, -1),
];
