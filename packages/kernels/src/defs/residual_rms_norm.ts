import { type KernelCheck, positiveSum, UNIT_ROUNDOFF, uniformArray } from '../checks/check.ts';
import { type Kernel, linearGrid, packFor } from '../kernel.ts';
import { residual_rms_norm as text } from '../shaders.gen.ts';

export type RmsNormParams = { rows: number; columns: number; eps: number };

/** Lanes per row: threads of a GPU share a row, threads of a software adapter take one each. */
export const rmsNormConstants: NonNullable<Kernel<{ columns: number }>['constants']> = (
  { columns },
  adapter,
) => {
  const { pack, width } = packFor(columns);
  return { pack, PACK: width, LANES: adapter === 'software' ? 1 : 32 };
};

export const residualRmsNorm: Kernel<RmsNormParams> = {
  name: 'residual_rms_norm',
  text,
  constants: rmsNormConstants,
  workgroups: ({ rows }, { GROUP, LANES }) => linearGrid(rows * LANES, GROUP),
  flops: ({ rows, columns }) => 5 * rows * columns,
  bytes: ({ rows, columns }) => 12 * rows * columns,
};

export const check: KernelCheck<RmsNormParams> = {
  kernel: residualRmsNorm,
  cases: [
    { rows: 1, columns: 2, eps: 1e-5 },
    { rows: 3, columns: 30, eps: 1e-5 },
    { rows: 67, columns: 128, eps: 1e-5 },
    { rows: 5, columns: 516, eps: 0.1 },
  ],
  variants: [{ LANES: 1 }, { LANES: 8 }, { LANES: 64 }],
  hard: ({ rows, columns }, random) => ({
    'rows of all sizes, one of zeros': () => {
      const size = (i: number) => [1, 1e12, 1e-12, 0, 1e-3][Math.floor(i / columns) % 5];
      const sized = () => uniformArray(random, rows * columns).map((value, i) => value * size(i));
      return { x: sized(), r: sized() };
    },
  }),
  inputs: ({ rows, columns }, random) => ({
    x: uniformArray(random, rows * columns),
    r: uniformArray(random, rows * columns),
  }),
  outputs: ({ rows, columns }) => ({ y: [rows, columns], inverse_rms: [rows] }),
  reference({ x, r }, { rows, columns, eps }) {
    const y = Float64Array.from(x, (value, i) => value + r[i]);
    const inverse_rms = new Float64Array(rows);
    for (let row = 0; row < rows; row++) {
      const values = y.subarray(row * columns, (row + 1) * columns);
      inverse_rms[row] = 1 / Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / columns + eps);
      for (let i = 0; i < columns; i++) values[i] *= inverse_rms[row];
    }
    return { y, inverse_rms };
  },
  // A mean of squares, half of whose error the root keeps, and the root; a sum and a product.
  tolerance({ columns }, { sqrt, division }) {
    const root = sqrt + division + 0.5 + positiveSum(columns) / 3;
    return { y: (root + 1) * UNIT_ROUNDOFF, inverse_rms: root * UNIT_ROUNDOFF };
  },
};
