import { integerArray, type KernelCheck } from '../checks/check.ts';
import { type Kernel, linearGrid } from '../kernel.ts';
import { select_rows as text } from '../shaders.gen.ts';

export type SelectRowsParams = { batch: number; length: number; a_row: number; a_period: number };

export const selectRows: Kernel<SelectRowsParams> = {
  name: 'select_rows',
  text,
  workgroups: ({ batch, length }, { GROUP }) => linearGrid(batch * length, GROUP),
  flops: () => 0,
  bytes: ({ batch, length }) => 8 * batch * length,
};

export const check: KernelCheck<SelectRowsParams> = {
  kernel: selectRows,
  cases: [
    { batch: 1, length: 1, a_row: 1, a_period: 1 },
    { batch: 9, length: 13, a_row: 13, a_period: 13 },
    { batch: 5, length: 60, a_row: 0, a_period: 20 },
  ],
  inputs: ({ batch, length, a_row, a_period }, random) => ({
    chosen: Uint32Array.from(integerArray(random, batch, 2)),
    a: Uint32Array.from(integerArray(random, (batch - 1) * a_row + a_period, 2 ** 31)),
    y: Uint32Array.from(integerArray(random, batch * length, 2 ** 31)),
  }),
  outputs: () => ({}),
  integers: ['y'],
  reference: ({ chosen, a, y }, { length, a_row, a_period }) => ({
    y: Float64Array.from(y, (value, i) => {
      const row = Math.floor(i / length);
      return chosen[row] ? a[row * a_row + ((i % length) % a_period)] : value;
    }),
  }),
  tolerance: () => 0, // moves, computes nothing
};
