import type { Philox } from '@hrm-webgpu/core';
import { type KernelCheck, positiveSum, UNIT_ROUNDOFF, uniformArray } from '../checks/check.ts';
import { type Kernel, linearGrid } from '../kernel.ts';
import { softmax as text } from '../shaders.gen.ts';

export type RowsParams = { rows: number; columns: number };

/** Lanes per row: threads of a GPU share a row, threads of a software adapter take one each. */
export const rowLanes: NonNullable<Kernel<RowsParams>['constants']> = (_, adapter) => ({
  LANES: adapter === 'software' ? 1 : 32,
});

export const softmax: Kernel<RowsParams> = {
  name: 'softmax',
  text,
  constants: rowLanes,
  workgroups: ({ rows }, { GROUP, LANES }) => linearGrid(rows * LANES, GROUP),
  flops: ({ rows, columns }) => 6 * rows * columns,
  bytes: ({ rows, columns }) => 8 * rows * columns,
};

/** The softmax of each row in float64. */
export function softmaxReference(x: ArrayLike<number>, { rows, columns }: RowsParams): Float64Array {
  const y = Float64Array.from(x);
  for (let row = 0; row < rows; row++) {
    const values = y.subarray(row * columns, (row + 1) * columns);
    const highest = values.reduce((a, b) => Math.max(a, b));
    values.forEach((value, i) => {
      values[i] = Math.exp(value - highest);
    });
    const sum = values.reduce((a, b) => a + b);
    for (let i = 0; i < columns; i++) values[i] /= sum;
  }
  return y;
}

/** Rows of ordinary numbers, of some far below 0, of some far above, with a dominant one, of equal ones. */
export function softmaxInputs({ rows, columns }: RowsParams, random: Philox): Float32Array {
  const kinds: ((value: number, column: number) => number)[] = [
    (value) => 4 * value,
    (value) => value - 3e4,
    (value) => value + 3e4,
    (value, column) => (column === columns - 1 ? 200 : value),
    () => -7,
  ];
  return uniformArray(random, rows * columns).map((value, i) =>
    kinds[Math.floor(i / columns) % kinds.length](value, i % columns),
  );
}

/** What both directions are tried on. */
export const SOFTMAX_CASES: readonly RowsParams[] = [
  { rows: 1, columns: 1 },
  { rows: 3, columns: 31 },
  { rows: 67, columns: 10 },
  { rows: 7, columns: 65 },
  { rows: 5, columns: 515 },
];

export const check: KernelCheck<RowsParams> = {
  kernel: softmax,
  cases: SOFTMAX_CASES,
  variants: [{ LANES: 1 }, { LANES: 8 }, { LANES: 64 }],
  inputs: (params, random) => ({ x: softmaxInputs(params, random) }),
  outputs: ({ rows, columns }) => ({ y: [rows, columns] }),
  reference: ({ x }, params) => ({ y: softmaxReference(x, params) }),
  // exp, weighed by its result most off near 0; a sum of positive terms, a division, a product.
  tolerance: ({ columns }, { exp, division }) =>
    (1 + exp(0) + division + positiveSum(columns)) * UNIT_ROUNDOFF,
};
