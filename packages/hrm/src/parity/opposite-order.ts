/**
 * Matrix products whose terms are added in the opposite order: the engine's own measure of what rounding does to a model.
 *
 * The kernels stay as they are and are given operands whose k runs backwards, so that whatever an adapter would do is
 * what is measured, tuned or not. This costs three copies a product, which nobody but parity pays.
 */
import { type Device, Tensor } from '@hrm-webgpu/core';
import { gatherRowsKernel, launch, matmulOperation, transposeKernel } from '@hrm-webgpu/kernels';
import type { MatmulParams } from '@hrm-webgpu/kernels/defs/matmul';
import { interceptOperations, type OperationCall } from '@hrm-webgpu/kernels/operation';

/** In which order the products of `body` add. */
export type Order = <T>(device: Device, body: () => T) => T;

/** As the kernels do. */
export const ownOrder: Order = (_, body) => body();

/** From the last term of k to the first. */
export const oppositeOrder: Order = (device, body) =>
  interceptOperations(
    device,
    (call, perform) => {
      if (call.operation.name !== matmulOperation.name) return perform(call);
      device.scope(() => perform(backwards(device, call)));
    },
    body,
  );

/** The same product with k backwards. A comes as Aᵀ, whose rows can be moved whole. */
function backwards(
  device: Device,
  { operation, tensors: { a, b, c }, params }: OperationCall,
): OperationCall {
  const { m, n, k, a_row, a_column } = params as MatmulParams;
  const reversed = Tensor.from(
    device,
    Int32Array.from({ length: k }, (_, i) => k - 1 - i),
  );
  const rowsOf = (table: Tensor, width: number) => {
    const y = Tensor.empty(device, [k, width]);
    launch(
      device,
      gatherRowsKernel,
      { identifiers: reversed, table, y },
      { batch: k, width, first: 0, count: k },
    );
    return y;
  };
  const tensors = { a: rowsOf(transposed(a, { m, k, a_row, a_column }), m), b: rowsOf(b, n), c };
  return { operation, tensors, params: { m, n, k, a_row: 1, a_column: m } };
}

/** Aᵀ [k, m]: A itself where it lies like that. */
function transposed(a: Tensor, { m, k, a_row, a_column }: Omit<MatmulParams, 'n'>): Tensor {
  if (a_row === 1 && a_column === m) return a;
  if (a_row !== k || a_column !== 1)
    throw new Error('a selection of rows or columns: HRM has no such product');
  const y = Tensor.empty(a.device, [k, m]);
  launch(a.device, transposeKernel, { x: a, y }, { rows: m, columns: k });
  return y;
}
