import { fewSignedSums, type KernelCheck, UNIT_ROUNDOFF, uniformArray } from '../checks/check.ts';
import { type Kernel, linearGrid } from '../kernel.ts';
import { mean as text } from '../shaders.gen.ts';
import { type RowsParams, rowLanes } from './softmax.ts';

export const mean: Kernel<RowsParams> = {
  name: 'mean',
  text,
  constants: rowLanes,
  workgroups: ({ rows }, { GROUP, LANES }) => linearGrid(rows * LANES, GROUP),
  flops: ({ rows, columns }) => rows * columns,
  bytes: ({ rows, columns }) => 4 * rows * (columns + 1),
};

export const check: KernelCheck<RowsParams> = {
  kernel: mean,
  cases: [
    { rows: 1, columns: 1 },
    { rows: 3, columns: 31 },
    { rows: 67, columns: 10 },
    { rows: 7, columns: 65 },
    { rows: 1, columns: 4099 },
  ],
  variants: [{ LANES: 1 }, { LANES: 8 }, { LANES: 64 }],
  // None near 0, so that the sum does not cancel.
  inputs: ({ rows, columns }, random) => ({
    x: uniformArray(random, rows * columns).map((value) => value + 1.5),
  }),
  outputs: ({ rows }) => ({ y: [rows] }),
  reference: ({ x }, { rows, columns }) => ({
    y: Float64Array.from({ length: rows }, (_, row) => {
      let sum = 0;
      for (let i = 0; i < columns; i++) sum += x[row * columns + i];
      return sum / columns;
    }),
  }),
  // A sum, in one lane, and a division.
  tolerance: ({ columns }, { division }) => (1 + fewSignedSums(columns) + division) * UNIT_ROUNDOFF,
};
