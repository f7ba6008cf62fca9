import type { KernelCheck } from '../checks/check.ts';
import { fold, type Kernel, packFor } from '../kernel.ts';
import { matmul_workgroup as text } from '../shaders.gen.ts';
import { byRows, type MatmulParams, matmul, check as matmulCheck, matmulReference } from './matmul.ts';

/**
 * `splits`: into how many parts k is divided. With 1 the result is C [m, n], with more it is [splits, m, n], to be
 * added by `batch_sum`.
 */
export type MatmulWorkgroupParams = MatmulParams & { splits: number };

export const matmulWorkgroup: Kernel<MatmulWorkgroupParams> = {
  name: 'matmul_workgroup',
  text,
  constants({ n, k, a_row, a_column }) {
    const { pack, width } = packFor(n);
    const packed = a_column === 1 && a_row % 4 === 0 && k % 4 === 0;
    return {
      pack,
      PACK: width,
      a_pack: packed ? 'vec4<f32>' : 'f32',
      A_PACK: packed ? 4 : 1,
      A_ALONG_K: String(a_column <= a_row),
    };
  },
  workgroups({ m, n, splits }, { PACK, PACKS, ROWS, THREADS_X, THREADS_Y }) {
    const [y, z] = fold(Math.ceil(m / (ROWS * THREADS_Y)));
    return [Math.ceil(n / (PACK * PACKS * THREADS_X)), y, z * splits];
  },
  flops: matmul.flops,
  bytes: ({ m, n, k, splits }) => 4 * (m * k + k * n + splits * m * n),
  parts: byRows(({ ROWS, THREADS_Y }) => ROWS * THREADS_Y),
};

/** Terms of k that are summed by themselves, as in the shader: the parts consist of whole blocks. */
const BLOCK = 32;

/** The parts of C = A·B in float64 [splits, m, n], from A given by its two strides. */
function splitReference(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  { splits, ...product }: MatmulWorkgroupParams,
): Float64Array {
  const { m, n, k, a_column } = product;
  const share = Math.ceil(Math.ceil(k / BLOCK) / splits) * BLOCK;
  const c = new Float64Array(splits * m * n);
  for (let split = 0; split < splits; split++) {
    const from = Math.min(split * share, k);
    const part = { ...product, k: Math.min(from + share, k) - from };
    const terms = [Array.from(a).slice(from * a_column), Array.from(b).slice(from * n)];
    c.set(matmulReference(terms[0], terms[1], part), split * m * n);
  }
  return c;
}

export const check: KernelCheck<MatmulWorkgroupParams> = {
  kernel: matmulWorkgroup,
  // Few combinations of n % 4, k % 4 and strides: each is a pipeline, and software adapters compile them slowly.
  cases: [
    { m: 1, n: 1, k: 1, a_row: 1, a_column: 1, splits: 1 },
    { m: 67, n: 71, k: 73, a_row: 73, a_column: 1, splits: 1 },
    { m: 17, n: 6, k: 64, a_row: 64, a_column: 1, splits: 1 },
    { m: 65, n: 260, k: 129, a_row: 129, a_column: 1, splits: 1 },
    { m: 5, n: 12, k: 16, a_row: 48, a_column: 1, splits: 1 },
    { m: 6, n: 12, k: 2048, a_row: 2048, a_column: 1, splits: 1 }, // see matmul
    { m: 12, n: 136, k: 36, a_row: 80, a_column: 2, splits: 1 },
    { m: 131, n: 68, k: 61, a_row: 1, a_column: 131, splits: 1 },
    { m: 33, n: 38, k: 211, a_row: 1, a_column: 33, splits: 3 },
    { m: 64, n: 64, k: 128, a_row: 1, a_column: 64, splits: 2 },
    { m: 9, n: 20, k: 520, a_row: 520, a_column: 1, splits: 4 },
    { m: 9, n: 20, k: 1030, a_row: 1, a_column: 9, splits: 8 },
    { m: 5, n: 8, k: 68, a_row: 68, a_column: 1, splits: 5 }, // more parts than blocks: the last ones are zero
  ],
  variants: [{ ROWS: 4, PACKS: 2, THREADS_Y: 16, TILE_K: 16 }],
  inputs: matmulCheck.inputs,
  outputs: ({ m, n, splits }) => ({ c: [splits * m, n] }),
  reference: ({ a, b }, params) => ({ c: splitReference(a, b, params) }),
  // A part has at most k terms: see matmul.
  tolerance: matmulCheck.tolerance,
};
