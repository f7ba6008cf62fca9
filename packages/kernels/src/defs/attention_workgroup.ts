import type { KernelCheck } from '../checks/check.ts';
import { fold, type Kernel, packFor } from '../kernel.ts';
import { attention_workgroup as text } from '../shaders.gen.ts';
import {
  type AttentionParams,
  attention,
  attentionTolerance,
  byHeads,
  check as plainCheck,
} from './attention.ts';

/** The constants that the three tiled kernels share. */
export function tiledConstants({ head_dim }: AttentionParams) {
  const { pack, width } = packFor(head_dim);
  // Wide heads are spread over twice the threads, to keep a thread's sums at 32 or 64 registers.
  const COLUMNS = head_dim > 64 ? 16 : 8;
  return { pack, block: `mat${width}x${width}<f32>`, WIDTH: width, HEAD_PACKS: head_dim / width, COLUMNS };
}

export const attentionWorkgroup: Kernel<AttentionParams> = {
  name: 'attention_workgroup',
  text,
  madeFor: 'gpu', // software adapters pay for workgroup memory and barriers, and for compiling the tiles
  constants: (params) => ({
    ...tiledConstants(params),
    // As much as 16 KiB of workgroup memory hold.
    QUERIES: params.head_dim > 64 ? 16 : 32,
  }),
  workgroups: ({ batch, seq_len, heads }, { QUERIES }) => [
    Math.ceil(seq_len / QUERIES),
    ...fold(batch * heads),
  ],
  parts: byHeads,
  flops: attention.flops,
  bytes: attention.bytes,
};

/**
 * Few head_dims, as each is a program of its own and these take long to compile on software adapters: 36 has a broken last
 * chunk; 64, of the published model, is all whole; 66 has the tiles of wide heads, packs of two, a broken last chunk and a last pack that not every column owns.
 */
export const tiledCases: readonly AttentionParams[] = [
  { batch: 1, seq_len: 1, heads: 1, head_dim: 66 },
  { batch: 1, seq_len: 5, heads: 3, head_dim: 66 }, // three heads leave a place free in a folded grid
  { batch: 1, seq_len: 131, heads: 1, head_dim: 66 },
  { batch: 1, seq_len: 1, heads: 1, head_dim: 36 },
  { batch: 2, seq_len: 17, heads: 3, head_dim: 36 },
  { batch: 1, seq_len: 82, heads: 2, head_dim: 36 },
  // A tile has 32 queries or keys: one fewer, as many, one more. And 8 packs of a head: 7, 8; 36 has 9.
  { batch: 1, seq_len: 31, heads: 1, head_dim: 36 },
  { batch: 1, seq_len: 32, heads: 1, head_dim: 36 },
  { batch: 1, seq_len: 33, heads: 1, head_dim: 36 },
  { batch: 1, seq_len: 33, heads: 2, head_dim: 28 },
  { batch: 1, seq_len: 31, heads: 1, head_dim: 32 },
  { batch: 2, seq_len: 17, heads: 3, head_dim: 64 },
  { batch: 1, seq_len: 37, heads: 3, head_dim: 64 },
  { batch: 1, seq_len: 64, heads: 1, head_dim: 64 },
  { batch: 1, seq_len: 82, heads: 2, head_dim: 64 },
];

/** The tiled kernels add up a score in one sum. */
export const tiledTolerance: KernelCheck<AttentionParams>['tolerance'] = (params, errors) =>
  attentionTolerance(params, errors, 1);

export const check: KernelCheck<AttentionParams> = {
  ...plainCheck,
  kernel: attentionWorkgroup,
  cases: tiledCases,
  variants: [],
  tolerance: tiledTolerance,
};
