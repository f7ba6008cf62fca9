import { Tensor } from '@hrm-webgpu/core';
import { qHead as forward } from '../defs/q_head.ts';
import { qHeadBackwardState } from '../defs/q_head_backward_state.ts';
import { qHeadBackwardWeight } from '../defs/q_head_backward_weight.ts';
import { launch } from '../kernel.ts';
import { expectShape } from './shapes.ts';

/** (q_halt, q_continue) [batch, 2] from the first position of z [batch, seq_len, dim]; weight [2, dim], bias [2]. */
export function qHead(z: Tensor, weight: Tensor, bias: Tensor): Tensor {
  const { device, shape } = z;
  const [batch, seq_len, dim] = shape;
  expectShape('qHead', 'the state', z, [undefined, undefined, undefined]);
  expectShape('qHead', 'the weight', weight, [2, dim]);
  expectShape('qHead', 'the bias', bias, [2]);
  const params = { batch, seq_len, dim };
  const q = Tensor.empty(device, [batch, 2]);
  launch(device, forward, { z, weight, bias, q }, params);
  device.tape.record('qHead', [z, weight, bias], q, [z, weight], (dq) => {
    const dz = Tensor.empty(device, shape);
    const d_weight = Tensor.empty(device, weight.shape);
    const d_bias = Tensor.empty(device, bias.shape);
    launch(device, qHeadBackwardState, { dq, weight, dz }, params);
    launch(device, qHeadBackwardWeight, { dq, z, d_weight, d_bias }, params);
    return [dz, d_weight, d_bias];
  });
  return q;
}
