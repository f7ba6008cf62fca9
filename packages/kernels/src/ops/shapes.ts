import { type Shape, type Tensor, UserError } from '@hrm-webgpu/core';

/** Checks the shape of an op's operand; `undefined` in `expected` matches any extent. */
export function expectShape(
  op: string,
  operand: string,
  { shape }: Tensor,
  expected: readonly (number | undefined)[],
): void {
  const matches =
    shape.length === expected.length && shape.every((n, i) => expected[i] === undefined || n === expected[i]);
  if (matches) return;
  const wanted = expected.map((extent) => extent ?? '?').join(', ');
  throw new UserError(`${op}: ${operand} has shape [${shape.join(', ')}], expected [${wanted}]`);
}

/** Checks that two operands have the same shape. */
export function expectSameShape(op: string, a: Tensor, b: Tensor): void {
  expectShape(op, 'the second operand', b, a.shape);
}

/** All extents but the last, multiplied: the rows of a tensor seen as a matrix. */
export function rowsOf(shape: Shape): number {
  return shape.slice(0, -1).reduce((product, extent) => product * extent, 1);
}
