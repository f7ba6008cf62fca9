import { type KernelCheck, UNIT_ROUNDOFF, uniformArray } from '../checks/check.ts';
import { type Kernel, linearGrid, packFor } from '../kernel.ts';
import { rope as text } from '../shaders.gen.ts';

/** heads: attention heads (qkv holds three times as many); sign: 1 to rotate, −1 to rotate back. */
export type RopeParams = { tokens: number; seq_len: number; heads: number; head_dim: number; sign: number };

export const rope: Kernel<RopeParams> = {
  name: 'rope',
  text,
  constants({ head_dim }) {
    const { pack, width } = packFor(head_dim / 2);
    return { pack, PACK: width };
  },
  workgroups: ({ tokens, heads, head_dim }, { GROUP, PACK }) =>
    linearGrid((tokens * 3 * heads * head_dim) / (2 * PACK), GROUP),
  flops: ({ tokens, heads, head_dim }) => 6 * tokens * heads * head_dim,
  bytes: ({ tokens, heads, head_dim }) => 24 * tokens * heads * head_dim,
};

/** Rotates the q and k heads of qkv [tokens, 3·heads·head_dim] in float64. */
export function ropeReference(
  x: ArrayLike<number>,
  cosines: ArrayLike<number>,
  sines: ArrayLike<number>,
  { tokens, seq_len, heads, head_dim, sign }: RopeParams,
): Float64Array {
  const y = Float64Array.from(x);
  const half = head_dim / 2;
  for (let token = 0; token < tokens; token++) {
    for (let head = 0; head < 2 * heads; head++) {
      const first = (token * 3 * heads + head) * head_dim;
      for (let i = 0; i < half; i++) {
        const angle = (token % seq_len) * half + i;
        y[first + i] = x[first + i] * cosines[angle] - sign * x[first + half + i] * sines[angle];
        y[first + half + i] = x[first + half + i] * cosines[angle] + sign * x[first + i] * sines[angle];
      }
    }
  }
  return y;
}

export const check: KernelCheck<RopeParams> = {
  kernel: rope,
  cases: [
    { tokens: 1, seq_len: 1, heads: 1, head_dim: 2, sign: 1 },
    { tokens: 14, seq_len: 7, heads: 3, head_dim: 10, sign: 1 },
    { tokens: 34, seq_len: 17, heads: 2, head_dim: 16, sign: -1 },
    { tokens: 5, seq_len: 5, heads: 3, head_dim: 64, sign: 1 },
  ],
  inputs: ({ tokens, seq_len, heads, head_dim }, random) => ({
    x: uniformArray(random, tokens * 3 * heads * head_dim),
    cosines: uniformArray(random, (seq_len * head_dim) / 2),
    sines: uniformArray(random, (seq_len * head_dim) / 2),
  }),
  outputs: ({ tokens, heads, head_dim }) => ({ y: [tokens, 3 * heads * head_dim] }),
  reference: ({ x, cosines, sines }, params) => ({ y: ropeReference(x, cosines, sines, params) }),
  tolerance: () => 2 * UNIT_ROUNDOFF, // two products and their sum, against a largest result of about 1.5
};
