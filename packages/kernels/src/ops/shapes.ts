import { type DType, expectTensor, type Shape, type Tensor, UserError } from '@hrm-webgpu/core';

/** @internal Checks the type of an op's operand. */
export function expectType(op: string, operand: string, tensor: Tensor, expected: DType): void {
  expectTensor(op, operand, tensor);
  const { dtype } = tensor;
  if (dtype !== expected) throw new UserError(`${op}: ${operand} is ${dtype}, expected ${expected}`);
}

/** @internal Checks the shape and type of an op's operand; `undefined` in `expected` matches any extent. */
export function expectShape(
  op: string,
  operand: string,
  tensor: Tensor,
  expected: readonly (number | undefined)[],
  dtype: DType = 'f32',
): void {
  expectType(op, operand, tensor, dtype);
  const { shape } = tensor;
  const matches =
    shape.length === expected.length && shape.every((n, i) => expected[i] === undefined || n === expected[i]);
  if (matches) return;
  const wanted = expected.map((extent) => extent ?? '?').join(', ');
  throw new UserError(`${op}: ${operand} has shape [${shape.join(', ')}], expected [${wanted}]`);
}

/** @internal Checks that two f32 operands have the same shape. */
export function expectSameShape(op: string, a: Tensor, b: Tensor): void {
  expectType(op, 'the first operand', a, 'f32');
  expectShape(op, 'the second operand', b, a.shape);
}

/** @internal All extents but the last, multiplied: the rows of a tensor seen as a matrix. */
export function rowsOf(shape: Shape): number {
  return shape.slice(0, -1).reduce((product, extent) => product * extent, 1);
}
