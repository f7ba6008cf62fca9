import { type KernelCheck, UNIT_ROUNDOFF, uniformArray } from '../checks/check.ts';
import { type Kernel, linearGrid } from '../kernel.ts';
import { mean_backward as text } from '../shaders.gen.ts';
import type { RowsParams } from './softmax.ts';

export const meanBackward: Kernel<RowsParams> = {
  name: 'mean_backward',
  text,
  workgroups: ({ rows, columns }, { GROUP }) => linearGrid(rows * columns, GROUP),
  flops: ({ rows, columns }) => rows * columns,
  bytes: ({ rows, columns }) => 4 * rows * (columns + 1),
};

export const check: KernelCheck<RowsParams> = {
  kernel: meanBackward,
  cases: [
    { rows: 1, columns: 1 },
    { rows: 67, columns: 13 },
    { rows: 1, columns: 515 },
  ],
  inputs: ({ rows }, random) => ({ dy: uniformArray(random, rows) }),
  outputs: ({ rows, columns }) => ({ dx: [rows, columns] }),
  reference: ({ dy }, { rows, columns }) => ({
    dx: Float64Array.from({ length: rows * columns }, (_, i) => dy[Math.floor(i / columns)] / columns),
  }),
  tolerance: (_, { division }) => division * UNIT_ROUNDOFF,
};
