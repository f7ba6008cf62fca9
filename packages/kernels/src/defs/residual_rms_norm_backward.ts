import { type KernelCheck, UNIT_ROUNDOFF, uniformArray } from '../checks/check.ts';
import { type Kernel, linearGrid } from '../kernel.ts';
import { residual_rms_norm_backward as text } from '../shaders.gen.ts';
import { rmsNormConstants } from './residual_rms_norm.ts';

export type RmsNormBackwardParams = { rows: number; columns: number };

export const residualRmsNormBackward: Kernel<RmsNormBackwardParams> = {
  name: 'residual_rms_norm_backward',
  text,
  constants: rmsNormConstants,
  workgroups: ({ rows }, { GROUP, LANES }) => linearGrid(rows * LANES, GROUP),
  flops: ({ rows, columns }) => 5 * rows * columns,
  bytes: ({ rows, columns }) => 12 * rows * columns,
};

export const check: KernelCheck<RmsNormBackwardParams> = {
  kernel: residualRmsNormBackward,
  cases: [
    { rows: 1, columns: 2 },
    { rows: 3, columns: 30 },
    { rows: 67, columns: 128 },
    { rows: 5, columns: 516 },
  ],
  variants: [{ LANES: 1 }, { LANES: 8 }, { LANES: 64 }],
  inputs: ({ rows, columns }, random) => ({
    dy: uniformArray(random, rows * columns),
    y: uniformArray(random, rows * columns),
    inverse_rms: uniformArray(random, rows),
  }),
  outputs: ({ rows, columns }) => ({ dx: [rows, columns] }),
  reference({ dy, y, inverse_rms }, { rows, columns }) {
    const dx = new Float64Array(rows * columns);
    for (let row = 0; row < rows; row++) {
      let mean = 0;
      for (let i = row * columns; i < (row + 1) * columns; i++) mean += (dy[i] * y[i]) / columns;
      for (let i = row * columns; i < (row + 1) * columns; i++)
        dx[i] = inverse_rms[row] * (dy[i] - y[i] * mean);
    }
    return { dx };
  },
  // Three roundings, and a mean of terms of both signs, which weighs little among many.
  tolerance: ({ columns }) => (2.5 + 0.05 * Math.sqrt(columns)) * UNIT_ROUNDOFF,
};
