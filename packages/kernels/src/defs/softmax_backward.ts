import { type KernelCheck, positiveSum, UNIT_ROUNDOFF, uniformArray } from '../checks/check.ts';
import { type Kernel, linearGrid } from '../kernel.ts';
import { softmax_backward as text } from '../shaders.gen.ts';
import { type RowsParams, rowLanes, SOFTMAX_CASES, softmaxInputs, softmaxReference } from './softmax.ts';

export const softmaxBackward: Kernel<RowsParams> = {
  name: 'softmax_backward',
  text,
  constants: rowLanes,
  workgroups: ({ rows }, { GROUP, LANES }) => linearGrid(rows * LANES, GROUP),
  flops: ({ rows, columns }) => 4 * rows * columns,
  bytes: ({ rows, columns }) => 12 * rows * columns,
};

export const check: KernelCheck<RowsParams> = {
  kernel: softmaxBackward,
  cases: SOFTMAX_CASES,
  variants: [{ LANES: 1 }, { LANES: 8 }, { LANES: 64 }],
  inputs: (params, random) => ({
    y: Float32Array.from(softmaxReference(softmaxInputs(params, random), params)),
    dy: uniformArray(random, params.rows * params.columns),
  }),
  outputs: ({ rows, columns }) => ({ dx: [rows, columns] }),
  reference({ y, dy }, { rows, columns }) {
    const dx = new Float64Array(rows * columns);
    for (let row = 0; row < rows; row++) {
      const [first, end] = [row * columns, (row + 1) * columns];
      let sum = 0;
      for (let i = first; i < end; i++) sum += dy[i] * y[i];
      for (let i = first; i < end; i++) dx[i] = y[i] * (dy[i] - sum);
    }
    return { dx };
  },
  // A sum of products that weigh 1 in all, a difference below 2, a product: of a largest result that is about a third of the factors, so
  // that up to 4.6 roundoffs were seen (100 draws, 10 columns). A single column cancels to nothing: exactly.
  tolerance: ({ columns }) => (3 + 2 * positiveSum(columns)) * UNIT_ROUNDOFF,
};
