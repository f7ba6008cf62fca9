import { Tensor } from '@hrm-webgpu/core';
import { qHead as forward } from '../defs/q_head.ts';
import { launch } from '../kernel.ts';
import { expectShape } from './shapes.ts';

/** (q_halt, q_continue) [batch, 2] from the first position of z [batch, seq_len, dim]; weight [2, dim], bias [2]. */
export function qHead(z: Tensor, weight: Tensor, bias: Tensor): Tensor {
  expectShape('qHead', 'the state', z, [undefined, undefined, undefined]);
  const { device, shape } = z;
  const [batch, seq_len, dim] = shape;
  expectShape('qHead', 'the weight', weight, [2, dim]);
  expectShape('qHead', 'the bias', bias, [2]);
  const q = Tensor.empty(device, [batch, 2]);
  launch(device, forward, { z, weight, bias, q }, { batch, seq_len, dim });
  device.tape.record('qHead', [z, weight, bias], q, [z, weight]);
  return q;
}
