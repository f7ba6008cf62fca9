/** Attention and its gradient against float64, one head at a time: all of a long sequence would take minutes. */
import type { HostArray } from '@hrm-webgpu/core';
import {
  type AttentionParams,
  attentionBackwardReference,
  attentionReference,
  attentionTolerance,
  type BuiltinErrors,
} from '@hrm-webgpu/kernels/checks';
import { compare } from '../timing/kernel-run.ts';

/** What went into attention and its gradient, and what came out: [batch, seq_len, width] each. */
export interface AttentionArrays {
  qkv: HostArray;
  d_o: HostArray;
  o: HostArray;
  d_qkv: HostArray;
}

/**
 * Compares the first and the last head with float64.
 *
 * @throws UserError naming the element that is furthest off
 */
export function checkAttention(
  name: string,
  params: AttentionParams,
  arrays: AttentionArrays,
  errors: BuiltinErrors,
): void {
  const { batch, seq_len, heads, head_dim } = params;
  const single = { batch: 1, seq_len, heads: 1, head_dim };
  for (const [row, head] of [
    [0, 0],
    [batch - 1, heads - 1],
  ]) {
    const of = (array: HostArray, parts: number) => headOf(array, params, row, head, parts);
    const qkv = of(arrays.qkv, 3);
    const { o, log_sum_exp } = attentionReference(qkv, single);
    const { d_qkv } = attentionBackwardReference(qkv, o, of(arrays.d_o, 1), log_sum_exp, single);
    const tolerance = attentionTolerance(params, errors, 1); // of whichever kernel the engine chose
    compare(`${name}: o of head ${head}`, of(arrays.o, 1), o, tolerance.o);
    compare(`${name}: d_qkv of head ${head}`, of(arrays.d_qkv, 3), d_qkv, tolerance.d_qkv);
  }
}

/** One head of [batch, seq_len, parts·heads·head_dim], as [seq_len, parts·head_dim]. */
function headOf(
  array: HostArray,
  { seq_len, heads, head_dim }: AttentionParams,
  row: number,
  head: number,
  parts: number,
): Float32Array {
  const result = new Float32Array(seq_len * parts * head_dim);
  for (let token = 0; token < seq_len; token++) {
    for (let part = 0; part < parts; part++) {
      const from = (((row * seq_len + token) * parts + part) * heads + head) * head_dim;
      result.set(array.subarray(from, from + head_dim), (token * parts + part) * head_dim);
    }
  }
  return result;
}
