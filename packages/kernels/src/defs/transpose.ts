import { type KernelCheck, uniformArray } from '../checks/check.ts';
import type { Kernel } from '../kernel.ts';
import { transpose as text } from '../shaders.gen.ts';

export type TransposeParams = { rows: number; columns: number };

export const transpose: Kernel<TransposeParams> = {
  name: 'transpose',
  text,
  workgroups: ({ rows, columns }, { GROUP, BLOCK }) => [
    Math.ceil(columns / (GROUP * BLOCK)),
    Math.ceil(rows / (GROUP * BLOCK)),
    1,
  ],
  flops: () => 0,
  bytes: ({ rows, columns }) => 8 * rows * columns,
};

export const check: KernelCheck<TransposeParams> = {
  kernel: transpose,
  cases: [
    { rows: 1, columns: 1 },
    { rows: 7, columns: 67 },
    { rows: 64, columns: 96 },
  ],
  inputs: ({ rows, columns }, random) => ({ x: uniformArray(random, rows * columns) }),
  outputs: ({ rows, columns }) => ({ y: [rows, columns] }),
  reference: ({ x }, { rows, columns }) => ({
    y: Float64Array.from(
      { length: rows * columns },
      (_, i) => x[(i % rows) * columns + Math.floor(i / rows)],
    ),
  }),
  tolerance: () => 0, // moves, computes nothing
};
