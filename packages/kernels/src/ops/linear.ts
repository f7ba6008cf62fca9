import { Tensor } from '@hrm-webgpu/core';
import { matmul } from '../defs/matmul.ts';
import { transpose as transposeKernel } from '../defs/transpose.ts';
import { launch } from '../kernel.ts';
import { expectShape, rowsOf } from './shapes.ts';

/** xᵀ for x [rows, columns], into `target` or a new tensor [columns, rows]. Not differentiable. */
export function transpose(x: Tensor, target?: Tensor): Tensor {
  const [rows, columns] = x.shape;
  const y = target ?? Tensor.empty(x.device, [columns, rows]);
  expectShape('transpose', 'the target', y, [columns, rows]);
  launch(x.device, transposeKernel, { x, y }, { rows, columns });
  return y;
}

/**
 * y = x·Wᵀ for x [..., in] and weight W [out, in] → [..., out].
 *
 * @param transposed Wᵀ [in, out], where the caller keeps one: the kernel reads that layout, and a weight is used
 *   many times between two updates
 */
export function linear(x: Tensor, weight: Tensor, transposed?: Tensor): Tensor {
  const { device } = x;
  const [out, inner] = weight.shape;
  expectShape('linear', 'the weight', weight, [undefined, x.shape[x.shape.length - 1]]);
  const m = rowsOf(x.shape);
  const y = Tensor.empty(device, [...x.shape.slice(0, -1), out]);
  const b = transposed ?? transpose(weight);
  launch(device, matmul, { a: x, b, c: y }, { m, n: out, k: inner, a_row: inner, a_column: 1 });
  if (!transposed) b.dispose();
  device.tape.record('linear', [x, weight], y, [x, weight], (dy, [needsX, needsWeight]) => [
    needsX ? linearBackwardInput(dy, weight, x.shape) : undefined,
    needsWeight ? linearBackwardWeight(dy, x, weight.shape) : undefined,
  ]);
  return y;
}

/** dx = dy·W */
function linearBackwardInput(dy: Tensor, weight: Tensor, shape: Tensor['shape']): Tensor {
  const [out, inner] = weight.shape;
  const dx = Tensor.empty(dy.device, shape);
  const params = { m: rowsOf(shape), n: inner, k: out, a_row: out, a_column: 1 };
  launch(dy.device, matmul, { a: dy, b: weight, c: dx }, params);
  return dx;
}

/** dW = dyᵀ·x */
function linearBackwardWeight(dy: Tensor, x: Tensor, shape: Tensor['shape']): Tensor {
  const [out, inner] = shape;
  const dw = Tensor.empty(dy.device, shape);
  const params = { m: out, n: inner, k: rowsOf(x.shape), a_row: 1, a_column: out };
  launch(dy.device, matmul, { a: dy, b: x, c: dw }, params);
  return dw;
}
