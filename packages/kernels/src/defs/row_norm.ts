import { type KernelCheck, positiveSums, UNIT_ROUNDOFF, uniformArray } from '../checks/check.ts';
import { type Kernel, linearGrid } from '../kernel.ts';
import { row_norm as text } from '../shaders.gen.ts';
import { rowLanes } from './softmax.ts';

export type RowNormParams = {
  rows: number;
  columns: number;
  /** Where the first row's norm goes: one tensor takes those of many. */
  at: number;
};

export const rowNorm: Kernel<RowNormParams> = {
  name: 'row_norm',
  text,
  constants: rowLanes,
  workgroups: ({ rows }, { GROUP, LANES }) => linearGrid(rows * LANES, GROUP),
  flops: ({ rows, columns }) => 2 * rows * columns,
  bytes: ({ rows, columns }) => 4 * rows * (columns + 1),
};

export const check: KernelCheck<RowNormParams> = {
  kernel: rowNorm,
  cases: [
    { rows: 1, columns: 1, at: 0 },
    { rows: 3, columns: 31, at: 2 },
    { rows: 67, columns: 10, at: 0 },
    { rows: 7, columns: 65, at: 1 },
    { rows: 1, columns: 4099, at: 5 },
  ],
  variants: [{ LANES: 1 }, { LANES: 8 }, { LANES: 64 }],
  inputs: ({ rows, columns, at }, random) => ({
    x: uniformArray(random, rows * columns),
    y: uniformArray(random, at + rows + 2),
  }),
  hard: ({ rows, columns }, random) => ({
    'all zeros': () => ({ x: new Float32Array(rows * columns) }),
    'huge and tiny rows': () => ({
      x: uniformArray(random, rows * columns).map(
        (value, i) => value * (Math.floor(i / columns) % 2 === 0 ? 1e17 : 1e-15),
      ),
    }),
  }),
  outputs: () => ({}),
  inPlace: ({ rows, at }) => ({ y: [at + rows + 2] }),
  reference: ({ x, y }, { rows, columns, at }) => {
    const expected = Float64Array.from(y);
    for (let row = 0; row < rows; row++) {
      let sum = 0;
      for (let i = 0; i < columns; i++) sum += x[row * columns + i] ** 2;
      expected[at + row] = Math.sqrt(sum);
    }
    return { y: expected };
  },
  // The root halves what the sum and the squares' roundings are off.
  tolerance: ({ rows, columns }, { sqrt }) => (0.5 + positiveSums(columns, rows) / 2 + sqrt) * UNIT_ROUNDOFF,
};
