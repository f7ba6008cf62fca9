import { type GradientRule, Tensor } from '@hrm-webgpu/core';
import { batchSum } from '../defs/batch_sum.ts';
import { meanBackward } from '../defs/mean_backward.ts';
import { reluBackward } from '../defs/relu_backward.ts';
import { softmaxBackward } from '../defs/softmax_backward.ts';
import { launch } from '../kernel.ts';
import { rowsOf } from '../ops/shapes.ts';

/** Of the input, and of the bias: the sum over the rows. */
export const addBiasGradient: GradientRule = (dy, { needs: [, needsBias] }) => {
  const { device, shape } = dy;
  if (!needsBias) return [dy.detach()];
  const width = shape[shape.length - 1];
  const d_bias = Tensor.empty(device, [width]);
  launch(device, batchSum, { x: dy, y: d_bias }, { batch: rowsOf(shape), length: width, scale: 1 });
  return [dy.detach(), d_bias];
};

export const reluGradient: GradientRule = (dy, { saved: [y] }) => {
  const dx = Tensor.empty(y.device, y.shape);
  launch(y.device, reluBackward, { y, dy, dx }, { length: y.size });
  return [dx];
};

export const softmaxGradient: GradientRule = (dy, { saved: [y] }) => {
  const { device, shape } = y;
  const dx = Tensor.empty(device, shape);
  const size = { rows: rowsOf(shape), columns: shape[shape.length - 1] };
  launch(device, softmaxBackward, { y, dy, dx }, size);
  return [dx];
};

/** The attributes are the operand's shape. */
export const meanGradient: GradientRule = (dy, { attributes }) => {
  const dx = Tensor.empty(dy.device, Object.values(attributes));
  launch(dy.device, meanBackward, { dy, dx }, { rows: dy.size, columns: dx.size / dy.size });
  return [dx];
};
