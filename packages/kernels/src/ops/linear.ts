import { Tensor } from '@hrm-webgpu/core';
import { transpose as transposeKernel } from '../defs/transpose.ts';
import { transposePacks } from '../defs/transpose_packs.ts';
import { launch } from '../kernel.ts';
import { multiply } from './matmul.ts';
import { expectShape, expectType, rowsOf } from './shapes.ts';

/** xᵀ for x [rows, columns], into `target` or a new tensor [columns, rows]. Not differentiable. */
export function transpose(x: Tensor, target?: Tensor): Tensor {
  expectShape('transpose', 'the operand', x, [undefined, undefined]);
  const [rows, columns] = x.shape;
  const y = target ?? Tensor.empty(x.device, [columns, rows]);
  expectShape('transpose', 'the target', y, [columns, rows]);
  const kernel = rows % 4 === 0 && columns % 4 === 0 ? transposePacks : transposeKernel;
  launch(x.device, kernel, { x, y }, { rows, columns });
  return y;
}

/**
 * y = x·Wᵀ for x [..., in] and weight W [out, in] → [..., out].
 *
 * @param transposed Wᵀ [in, out], where the caller keeps one: the kernel reads that layout, and a weight is used
 *   many times between two updates
 */
export function linear(x: Tensor, weight: Tensor, transposed?: Tensor): Tensor {
  expectType('linear', 'the input', x, 'f32');
  expectShape('linear', 'the weight', weight, [undefined, x.shape[x.shape.length - 1]]);
  const { device } = x;
  const [out, inner] = weight.shape;
  if (transposed) expectShape('linear', 'the transposed weight', transposed, [inner, out]);
  const m = rowsOf(x.shape);
  const y = Tensor.empty(device, [...x.shape.slice(0, -1), out]);
  const b = transposed ?? transpose(weight);
  multiply(x, b, y, { m, n: out, k: inner, a_row: inner, a_column: 1 });
  if (!transposed) b.dispose();
  device.tape.record('linear', [x, weight], y, [x, weight]);
  return y;
}
