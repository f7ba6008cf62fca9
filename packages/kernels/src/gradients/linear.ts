import { type GradientRule, Tensor } from '@hrm-webgpu/core';
import { multiply } from '../ops/matmul.ts';
import { rowsOf } from '../ops/shapes.ts';

/** Of the input and of the weight, whichever want theirs. */
export const linearGradient: GradientRule = (dy, { needs: [needsX, needsWeight], saved: [x, weight] }) => [
  needsX ? linearBackwardInput(dy, weight, x.shape) : undefined,
  needsWeight ? linearBackwardWeight(dy, x, weight.shape) : undefined,
];

/** dx = dy·W, for dy [..., out] and W [out, in]; `shape` is that of x. Not differentiable. */
export function linearBackwardInput(dy: Tensor, weight: Tensor, shape: Tensor['shape']): Tensor {
  const [out, inner] = weight.shape;
  const dx = Tensor.empty(dy.device, shape);
  const params = { m: rowsOf(shape), n: inner, k: out, a_row: out, a_column: 1 };
  multiply(dy, weight, dx, params);
  return dx;
}

/** dW = dyᵀ·x [out, in] for dy [..., out] and x [..., in]; `shape` is that of W. Not differentiable. */
export function linearBackwardWeight(dy: Tensor, x: Tensor, shape: Tensor['shape']): Tensor {
  const [out, inner] = shape;
  const dw = Tensor.empty(dy.device, shape);
  const params = { m: out, n: inner, k: rowsOf(x.shape), a_row: 1, a_column: out };
  multiply(dy, x, dw, params);
  return dw;
}
