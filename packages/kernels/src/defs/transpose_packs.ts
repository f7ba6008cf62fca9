import type { KernelCheck } from '../checks/check.ts';
import type { Kernel } from '../kernel.ts';
import { transpose_packs as text } from '../shaders.gen.ts';
import { type TransposeParams, transpose, check as transposeCheck } from './transpose.ts';

/** For rows and columns that are multiples of four. */
export const transposePacks: Kernel<TransposeParams> = {
  ...transpose,
  name: 'transpose_packs',
  text,
  workgroups: ({ rows, columns }, { GROUP }) => [
    Math.ceil(columns / (4 * GROUP)),
    Math.ceil(rows / (4 * GROUP)),
    1,
  ],
};

export const check: KernelCheck<TransposeParams> = {
  ...transposeCheck,
  kernel: transposePacks,
  cases: [
    { rows: 4, columns: 4 },
    { rows: 12, columns: 68 },
    { rows: 132, columns: 40 },
  ],
};
