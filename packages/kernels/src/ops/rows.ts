import { expectTensor, Tensor, UserError } from '@hrm-webgpu/core';
import { slice as sliceKernel } from '../defs/slice.ts';
import { launch } from '../kernel.ts';

/** Elements of a row, where the first axis counts rows. */
const widthOf = ({ size, shape }: Tensor) => size / shape[0];

/** The rows from `start` up to `upTo` (not included; default: all the rest) of x [rows, ...], of any type, copied. */
export function slice(x: Tensor, start: number, upTo?: number): Tensor {
  expectTensor('slice', 'the operand', x);
  const [rows, ...rest] = x.shape;
  const end = upTo ?? rows;
  const whole = Number.isInteger(start) && Number.isInteger(end);
  if (!whole || start < 0 || end > rows || start >= end) {
    throw new UserError(
      `slice: rows ${start} to ${end} of [${x.shape.join(', ')}], expected whole numbers with 0 ≤ start < end ≤ ${rows}`,
    );
  }
  const y = window(x, start * widthOf(x), [end - start, ...rest]);
  x.device.tape.record('slice', [x], y, [], { rows, start });
  return y;
}

/** Tensors [rows, ...] one behind the other, along their first axis; equal in all other extents and in their type. */
export function cat(tensors: readonly Tensor[]): Tensor {
  if (!Array.isArray(tensors) || tensors.length === 0) {
    throw new UserError('cat: expected an array of at least one tensor');
  }
  for (const [i, tensor] of tensors.entries()) expectTensor('cat', `tensor ${i}`, tensor);
  const [{ device, dtype, shape }] = tensors;
  const rest = shape.slice(1);
  for (const other of tensors) {
    if (
      other.dtype === dtype &&
      other.shape.slice(1).join() === rest.join() &&
      other.shape.length === shape.length
    )
      continue;
    throw new UserError(
      `cat: got [${other.shape.join(', ')}], ${other.dtype}, after [${shape.join(', ')}], ${dtype}; ` +
        'expected the same type, and the same extents but for the first',
    );
  }
  const rows = tensors.reduce((sum, tensor) => sum + tensor.shape[0], 0);
  const y = Tensor.empty(device, [rows, ...rest], dtype);
  let offset = 0;
  for (const tensor of tensors) {
    y.assignAt(offset, tensor);
    offset += tensor.size;
  }
  device.tape.record(
    'cat',
    tensors,
    y,
    [],
    Object.fromEntries(tensors.map((tensor, i) => [i, tensor.shape[0]])),
  );
  return y;
}

/** @internal Elements of x from the `first`-th on, in this shape; zeros where x has no such element. Not differentiable. */
export function window(x: Tensor, first: number, shape: Tensor['shape']): Tensor {
  const y = Tensor.empty(x.device, shape, x.dtype);
  launch(x.device, sliceKernel, { x, y }, { length: y.size, available: x.size, first });
  return y;
}
