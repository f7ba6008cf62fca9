import { type KernelCheck, positiveSums, UNIT_ROUNDOFF, uniformArray } from '../checks/check.ts';
import { type Kernel, linearGrid } from '../kernel.ts';
import { row_distance as text } from '../later-shaders.gen.ts';
import { rowLanes } from './softmax.ts';

export type RowDistanceParams = {
  rows: number;
  columns: number;
  /** The first column that counts. */
  first: number;
};

export const rowDistance: Kernel<RowDistanceParams> = {
  name: 'row_distance',
  text,
  constants: rowLanes,
  workgroups: ({ rows }, { GROUP, LANES }) => linearGrid(rows * LANES, GROUP),
  flops: ({ rows, columns, first }) => 3 * rows * (columns - first),
  bytes: ({ rows, columns, first }) => 4 * rows * (2 * (columns - first) + 1),
};

export const check: KernelCheck<RowDistanceParams> = {
  kernel: rowDistance,
  cases: [
    { rows: 1, columns: 1, first: 0 },
    { rows: 3, columns: 31, first: 0 },
    { rows: 67, columns: 10, first: 3 },
    { rows: 7, columns: 65, first: 64 },
    { rows: 1, columns: 4099, first: 11 },
  ],
  variants: [{ LANES: 1 }, { LANES: 8 }, { LANES: 64 }],
  inputs: ({ rows, columns }, random) => ({
    a: uniformArray(random, rows * columns),
    b: uniformArray(random, rows * columns),
  }),
  // What ‖a‖² + ‖b‖² − 2·a·b would lose.
  hard: ({ rows, columns }, random) => ({
    'almost the same': () => {
      const a = uniformArray(random, rows * columns).map((value) => value + 1.5);
      return { a, b: a.map((value) => value + 2 ** -4 * random.uniform()) };
    },
  }),
  outputs: ({ rows }) => ({ y: [rows] }),
  reference: ({ a, b }, { rows, columns, first }) => ({
    y: Float64Array.from({ length: rows }, (_, row) => {
      let sum = 0;
      for (let i = first; i < columns; i++) sum += (a[row * columns + i] - b[row * columns + i]) ** 2;
      return Math.sqrt(sum);
    }),
  }),
  // The root halves what the sum and the squares' roundings are off.
  tolerance: ({ rows, columns, first }, { sqrt }) =>
    (1.5 + positiveSums(columns - first, rows) / 2 + sqrt) * UNIT_ROUNDOFF,
};
