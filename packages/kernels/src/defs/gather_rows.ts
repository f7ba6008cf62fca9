import { integerArray, type KernelCheck, uniformArray } from '../checks/check.ts';
import { type Kernel, linearGrid } from '../kernel.ts';
import { gather_rows as text } from '../shaders.gen.ts';

export type GatherRowsParams = {
  batch: number;
  width: number;
  /** The identifier of the table's first row. */
  first: number;
  /** Rows of the table. */
  count: number;
};

export const gatherRows: Kernel<GatherRowsParams> = {
  name: 'gather_rows',
  text,
  workgroups: ({ batch, width }, { GROUP }) => linearGrid(batch * width, GROUP),
  flops: () => 0,
  bytes: ({ batch, width }) => 8 * batch * width,
};

/** Identifiers are drawn below this, so that tables in the cases have some of them, all or none. */
const IDENTIFIERS = 9;

export const check: KernelCheck<GatherRowsParams> = {
  kernel: gatherRows,
  cases: [
    { batch: 1, width: 1, first: 0, count: 9 },
    { batch: 17, width: 43, first: 3, count: 4 },
    { batch: 13, width: 64, first: 6, count: 3 },
    { batch: 5, width: 7, first: 9, count: 2 },
  ],
  inputs: ({ batch, width, count }, random) => ({
    identifiers: integerArray(random, batch, IDENTIFIERS),
    table: uniformArray(random, count * width),
    y: uniformArray(random, batch * width),
  }),
  outputs: () => ({}),
  reference: ({ identifiers, table, y }, { width, first, count }) => ({
    y: Float64Array.from(y, (value, i) => {
      const row = identifiers[Math.floor(i / width)] - first;
      return row >= 0 && row < count ? table[row * width + (i % width)] : value;
    }),
  }),
  tolerance: () => 0, // moves, computes nothing
};
