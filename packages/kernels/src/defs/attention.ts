import {
  type BuiltinErrors,
  type KernelCheck,
  signedSum,
  UNIT_ROUNDOFF,
  uniformArray,
} from '../checks/check.ts';
import { fold, type Grid, type Kernel, type Parts, packFor } from '../kernel.ts';
import { attention as text } from '../shaders.gen.ts';

export type AttentionParams = { batch: number; seq_len: number; heads: number; head_dim: number };

/** All attention kernels compute the heads of a batch one by one. */
export const byHeads: Parts<AttentionParams> = {
  items: ({ batch, heads }) => batch * heads,
  step: () => 1,
  sized: (params, count) => ({ ...params, batch: 1, heads: count }),
};

/** What the three attention kernels share: specialised on head_dim, a thread per query or key of each head. */
export const attentionShape = {
  constants({ head_dim }: AttentionParams) {
    const { pack, width } = packFor(head_dim);
    return { pack, PACK: width, HEAD_PACKS: head_dim / width };
  },
  workgroups: (
    { batch, seq_len, heads }: AttentionParams,
    { GROUP }: Readonly<Record<string, number>>,
  ): Grid => [Math.ceil(seq_len / GROUP), ...fold(batch * heads)],
  parts: byHeads,
};

/** Multiply-adds of one product over all pairs of positions, as FLOPs. */
export const pairFlops = ({ batch, seq_len, heads, head_dim }: AttentionParams) =>
  2 * batch * heads * seq_len * seq_len * head_dim;

/** Bytes of one [batch, seq_len, heads·head_dim] array. */
export const tokenBytes = ({ batch, seq_len, heads, head_dim }: AttentionParams) =>
  4 * batch * seq_len * heads * head_dim;

export const attention: Kernel<AttentionParams> = {
  name: 'attention',
  text,
  madeFor: 'software', // a thread keeps a whole head in registers, which GPUs do not have
  ...attentionShape,
  flops: (params) => 2 * pairFlops(params),
  bytes: (params) => 4 * tokenBytes(params),
};

/** Where the q (part 0), k (1) or v (2) vector of a token and head starts in qkv. */
function at(
  { seq_len, heads, head_dim }: AttentionParams,
  part: 0 | 1 | 2,
  batch: number,
  token: number,
  head: number,
) {
  return ((batch * seq_len + token) * 3 * heads + part * heads + head) * head_dim;
}

function dotAt(a: ArrayLike<number>, aAt: number, b: ArrayLike<number>, bAt: number, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += a[aAt + i] * b[bAt + i];
  return sum;
}

/** Softmax attention over qkv [batch, seq_len, 3·heads·head_dim] in float64, with the log of each denominator. */
export function attentionReference(qkv: ArrayLike<number>, params: AttentionParams) {
  const { batch, seq_len, heads, head_dim } = params;
  const o = new Float64Array(batch * seq_len * heads * head_dim);
  const log_sum_exp = new Float64Array(batch * heads * seq_len);
  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < heads; h++) {
      for (let t = 0; t < seq_len; t++) {
        const scores = Float64Array.from(
          { length: seq_len },
          (_, s) =>
            dotAt(qkv, at(params, 0, b, t, h), qkv, at(params, 1, b, s, h), head_dim) / Math.sqrt(head_dim),
        );
        const highest = scores.reduce((a, c) => Math.max(a, c));
        const total = scores.reduce((sum, score) => sum + Math.exp(score - highest), 0);
        log_sum_exp[(b * heads + h) * seq_len + t] = highest + Math.log(total);
        const o_at = ((b * seq_len + t) * heads + h) * head_dim;
        for (let s = 0; s < seq_len; s++) {
          const weight = Math.exp(scores[s] - highest) / total;
          for (let i = 0; i < head_dim; i++) o[o_at + i] += weight * qkv[at(params, 2, b, s, h) + i];
        }
      }
    }
  }
  return { o, log_sum_exp };
}

/** The gradient of attentionReference with respect to qkv, in float64, and delta = d_o·o. */
export function attentionBackwardReference(
  qkv: ArrayLike<number>,
  o: ArrayLike<number>,
  d_o: ArrayLike<number>,
  log_sum_exp: ArrayLike<number>,
  params: AttentionParams,
) {
  const { batch, seq_len, heads, head_dim } = params;
  const scale = 1 / Math.sqrt(head_dim);
  const d_qkv = new Float64Array(qkv.length);
  const delta = new Float64Array(batch * heads * seq_len);
  for (let b = 0; b < batch; b++) {
    for (let h = 0; h < heads; h++) {
      for (let t = 0; t < seq_len; t++) {
        const row = (b * heads + h) * seq_len + t;
        const o_at = ((b * seq_len + t) * heads + h) * head_dim;
        const q_at = at(params, 0, b, t, h);
        delta[row] = dotAt(d_o, o_at, o, o_at, head_dim);
        for (let s = 0; s < seq_len; s++) {
          const k_at = at(params, 1, b, s, h);
          const v_at = at(params, 2, b, s, h);
          const p = Math.exp(dotAt(qkv, q_at, qkv, k_at, head_dim) * scale - log_sum_exp[row]);
          const d_score = p * (dotAt(d_o, o_at, qkv, v_at, head_dim) - delta[row]) * scale;
          for (let i = 0; i < head_dim; i++) {
            d_qkv[q_at + i] += d_score * qkv[k_at + i];
            d_qkv[k_at + i] += d_score * qkv[q_at + i];
            d_qkv[v_at + i] += p * d_o[o_at + i];
          }
        }
      }
    }
  }
  return { d_qkv, delta };
}

export const attentionCases: readonly AttentionParams[] = [
  { batch: 1, seq_len: 1, heads: 1, head_dim: 2 },
  { batch: 1, seq_len: 5, heads: 3, head_dim: 10 }, // three heads leave a place free in a folded grid
  { batch: 2, seq_len: 17, heads: 2, head_dim: 16 },
  { batch: 2, seq_len: 19, heads: 3, head_dim: 32 },
  { batch: 1, seq_len: 37, heads: 3, head_dim: 64 },
  { batch: 1, seq_len: 131, heads: 1, head_dim: 16 },
  { batch: 1, seq_len: 301, heads: 1, head_dim: 16 },
  // A workgroup has 32 queries or keys: one fewer, as many, one more.
  { batch: 1, seq_len: 31, heads: 1, head_dim: 16 },
  { batch: 1, seq_len: 32, heads: 1, head_dim: 16 },
  { batch: 1, seq_len: 33, heads: 1, head_dim: 16 },
];

/** q, k and v three times as large as uniform, so that the softmax has both sharp and flat rows. */
export function attentionInputs(
  { batch, seq_len, heads, head_dim }: AttentionParams,
  random: Parameters<typeof uniformArray>[0],
) {
  return uniformArray(random, batch * seq_len * 3 * heads * head_dim).map((x) => 3 * x);
}

/**
 * What the arrays of attention and its gradient may be off, on `attentionInputs`. Scores are sums of head_dim products, about 3 in
 * the mean and 4 where their weight matters: their rounding error goes through exp as it is. The gradient's sum has a difference
 * besides. In a long sequence more comes of the sums: where one key has nearly all the weight, each of the others is added to a sum
 * and a denominator of that size, and rounds by half an ulp of it. The largest error on llvmpipe, where that is most of it (131 to
 * 901 keys, heads of 16 to 128), is 0.7 to 2·√seq_len roundoffs in o, and over 8 or 4 seeds 0.7 to 1.5·√seq_len in d_qkv.
 *
 * @param lanes how many sums, of equal parts, a kernel adds up for a score: as many as a pack is wide, or one
 */
export function attentionTolerance(
  { seq_len, head_dim }: AttentionParams,
  { exp, log, sqrt, division }: BuiltinErrors,
  lanes: number = packFor(head_dim).width,
) {
  const score = signedSum(head_dim / lanes) + sqrt + division - 1; // times 1 / √head_dim, that rounded
  const weighted = 4 * score + exp(0) + 1;
  const sums = 2 * Math.sqrt(seq_len);
  return {
    o: Math.max(weighted, sums) * UNIT_ROUNDOFF,
    // Absolute errors, 4 times a score's, against a largest one that is 4 of few keys and above 10 of many.
    log_sum_exp: (score + log / 2 + 1) * UNIT_ROUNDOFF,
    delta: (score + 1) * UNIT_ROUNDOFF, // a sum of as many products, against a largest one that may be small
    d_qkv: Math.max(1.5 * weighted, sums) * UNIT_ROUNDOFF,
  };
}

/** Elements of q and k that make scores of ±64·√head_dim: beyond what exp has in f32, in any head of 2 and more. */
const FAR = 8;

/** Inputs whose elements of q and k are those given by the token, with v uniform. */
function scored(
  params: AttentionParams,
  random: Parameters<typeof uniformArray>[0],
  elements: (token: number) => readonly [number, number],
) {
  const width = params.heads * params.head_dim;
  const qkv = attentionInputs(params, random).map((value, i) => {
    const part = Math.floor(i / width) % 3;
    const token = Math.floor(i / (3 * width)) % params.seq_len;
    return part === 2 ? value : elements(token)[part];
  });
  return { qkv };
}

/** Of the scores of {@link farScores}; exp is infinite in f32 from 89 on. */
const FAR_SCORE = 100;

/**
 * q, k and v whose scores are all within 2 % of `sign`·100, and of which the softmax still tells keys apart: one column of q and
 * k alone makes the scores, the other columns of k are as in `attentionInputs`, so that the gradient of q is no small difference.
 */
export function farScores(params: AttentionParams, random: Parameters<typeof uniformArray>[0], sign: 1 | -1) {
  const { seq_len, heads, head_dim } = params;
  const width = heads * head_dim;
  const common = attentionInputs(params, random);
  if (seq_len === 1) return common; // whose weight is 1 whatever its score, and whose gradient is nothing but rounding
  return common.map((value, i) => {
    const part = Math.floor(i / width) % 3;
    const first = i % head_dim === 0;
    if (part === 0) return first ? sign * FAR_SCORE * Math.sqrt(head_dim) : 0;
    return part === 1 && first ? 1 + (value / 3) * 0.02 : value;
  });
}

/** What the checks of the gradient try besides, made from q, k and v. */
export function farGradients<T>(
  params: AttentionParams,
  random: Parameters<typeof uniformArray>[0],
  inputs: (qkv: Float32Array) => T,
) {
  return {
    'scores far below 0': () => inputs(farScores(params, random, -1)),
    'scores far above 0': () => inputs(farScores(params, random, 1)),
  };
}

/**
 * As {@link attentionTolerance}, of the gradient. Of {@link farScores} the error of a score is that of its exp: of a product and of
 * that times 1 / √head_dim, each rounded to half a unit in the last place of numbers from 64 to 128, and of 1 / √head_dim itself.
 */
export function gradientTolerance(
  params: AttentionParams,
  errors: BuiltinErrors,
  hard: string | undefined,
  lanes?: number,
) {
  const common = attentionTolerance(params, errors, lanes);
  const far = (2 * 64 + FAR_SCORE * (errors.sqrt + errors.division - 1)) * UNIT_ROUNDOFF;
  return hard ? { ...common, d_qkv: far } : common;
}

export const check: KernelCheck<AttentionParams> = {
  kernel: attention,
  cases: attentionCases,
  variants: [{ BLOCK: 2, GROUP: 16 }],
  inputs: (params, random) => ({ qkv: attentionInputs(params, random) }),
  hard: (params, random) => ({
    'scores far below 0': () => scored(params, random, () => [FAR, -FAR]),
    'scores far above 0': () => scored(params, random, () => [FAR, FAR]),
    'one key above all others': () => scored(params, random, (token) => [FAR, token === 1 ? FAR : 0]),
    'equal keys': () => scored(params, random, () => [1, 0.5]),
  }),
  outputs: ({ batch, seq_len, heads, head_dim }) => ({
    o: [batch * seq_len, heads * head_dim],
    log_sum_exp: [batch * heads, seq_len],
  }),
  reference: ({ qkv }, params) => attentionReference(qkv, params),
  tolerance: (params, errors) => attentionTolerance(params, errors),
};
