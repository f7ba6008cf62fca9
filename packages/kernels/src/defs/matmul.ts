import { type KernelCheck, signedSum, UNIT_ROUNDOFF, uniformArray } from '../checks/check.ts';
import { fold, type Grid, type Kernel, type Parts, packFor } from '../kernel.ts';
import { matmul as text } from '../shaders.gen.ts';

export type MatmulParams = { m: number; n: number; k: number; a_row: number; a_column: number };

/** A grid of tiles whose rows follow each other, so that their columns of B stay in the cache. */
export function rowsFirst(rows: number, columns: number): Grid {
  const [x, z] = fold(rows);
  return [x, columns, z];
}

/** Rows of C are computed by tiles of so many, each tile by itself. */
export function byRows<P extends MatmulParams>(tile: Parts<P>['step']): Parts<P> {
  return { items: ({ m }) => m, step: tile, sized: (params, count) => ({ ...params, m: count }) };
}

export const matmul: Kernel<MatmulParams> = {
  name: 'matmul',
  text,
  constants({ n }) {
    const { pack, width } = packFor(n);
    return { pack, PACK: width };
  },
  workgroups: ({ m, n }, { ROWS, PACKS, PACK, GROUP }) =>
    rowsFirst(Math.ceil(m / ROWS), Math.ceil(n / (PACK * PACKS * GROUP))),
  flops: ({ m, n, k }) => 2 * m * n * k,
  bytes: ({ m, n, k }) => 4 * (m * k + k * n + m * n),
  parts: byRows(({ ROWS }) => ROWS),
};

/** C = A·B in float64, A given by its two strides. */
export function matmulReference(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  { m, n, k, a_row, a_column }: MatmulParams,
): Float64Array {
  const c = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let l = 0; l < k; l++) {
      const factor = a[i * a_row + l * a_column];
      for (let j = 0; j < n; j++) c[i * n + j] += factor * b[l * n + j];
    }
  }
  return c;
}

const rowMajor = (m: number, n: number, k: number) => ({ m, n, k, a_row: k, a_column: 1 });
const transposed = (m: number, n: number, k: number) => ({ m, n, k, a_row: 1, a_column: m });

/** What any kernel for this product is checked on. */
export const matmulCases = [
  rowMajor(1, 1, 1),
  rowMajor(1, 4, 7),
  rowMajor(7, 11, 13),
  rowMajor(8, 128, 32),
  rowMajor(17, 6, 64),
  rowMajor(65, 260, 129),
  // So long that the order of summation shows: one sum instead of blocks is off by twice what is allowed.
  rowMajor(6, 12, 2048),
  { m: 5, n: 12, k: 16, a_row: 48, a_column: 1 },
  transposed(1, 2, 3),
  transposed(33, 30, 101),
  transposed(96, 128, 64),
];

export const check: KernelCheck<MatmulParams> = {
  kernel: matmul,
  cases: matmulCases,
  variants: [
    { ROWS: 4, PACKS: 1, GROUP: 8 },
    { ROWS: 8, PACKS: 1, GROUP: 64 },
  ],
  inputs: ({ m, n, k, a_row, a_column }, random) => ({
    a: uniformArray(random, (m - 1) * a_row + (k - 1) * a_column + 1),
    b: uniformArray(random, k * n),
  }),
  outputs: ({ m, n }) => ({ c: [m, n] }),
  reference: ({ a, b }, params) => ({ c: matmulReference(a, b, params) }),
  // Sums of blocks of 32 terms, see matmul.wgsl; the product of the only term, where there is one.
  tolerance: ({ k }) => (1 + signedSum(k, 32)) * UNIT_ROUNDOFF,
};
