import { type GradientRule, Tensor } from '@hrm-webgpu/core';
import { qHeadBackwardState } from '../defs/q_head_backward_state.ts';
import { qHeadBackwardWeight } from '../defs/q_head_backward_weight.ts';
import { launch } from '../kernel.ts';

/** Of the state, the weight and the bias. */
export const qHeadGradient: GradientRule = (dq, { saved: [z, weight] }) => {
  const { device, shape } = z;
  const [batch, seq_len, dim] = shape;
  const params = { batch, seq_len, dim };
  const dz = Tensor.empty(device, shape);
  const d_weight = Tensor.empty(device, weight.shape);
  const d_bias = Tensor.empty(device, [2]);
  launch(device, qHeadBackwardState, { dq, weight, dz }, params);
  launch(device, qHeadBackwardWeight, { dq, z, d_weight, d_bias }, params);
  return [dz, d_weight, d_bias];
};
