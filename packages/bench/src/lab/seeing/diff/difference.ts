/** How two tensors differ. */
import type { DType } from '@hrm-webgpu/core';
import { numbersOf } from '../step/walk.ts';

export interface Difference {
  /** Elements that have other bits. */
  count: number;
  /** Of the element that is furthest off, in row-major order; a number on one side alone is further off than any. */
  at: number;
  a: number;
  b: number;
  /** |a − b|; infinite where one is no number. */
  error: number;
  /** As a share of the largest |a|. */
  relative: number;
  /** How many f32 numbers lie between the two, the second included; absent for integers, and where one is no number. */
  ulp?: number;
}

/** Where the bits of two tensors of the same shape differ; undefined where they do not. */
export function differenceOf(a: Uint32Array, b: Uint32Array, dtype: DType): Difference | undefined {
  const [ours, theirs] = [numbersOf(a, dtype), numbersOf(b, dtype)];
  let largest = 0;
  let count = 0;
  let worst = { at: -1, error: -1 };
  for (let at = 0; at < a.length; at++) {
    if (Number.isFinite(ours[at])) largest = Math.max(largest, Math.abs(ours[at]));
    if (a[at] === b[at]) continue;
    count += 1;
    const off = Math.abs(ours[at] - theirs[at]);
    const error = Number.isNaN(off)
      ? Number.isNaN(ours[at]) && Number.isNaN(theirs[at])
        ? 0
        : Number.POSITIVE_INFINITY
      : off;
    if (error > worst.error) worst = { at, error };
  }
  if (count === 0) return undefined;
  const { at, error } = worst;
  return {
    ...{ count, at, error },
    a: ours[at],
    b: theirs[at],
    relative: error === 0 ? 0 : error / largest,
    ...(dtype === 'f32' && Number.isFinite(ours[at]) && Number.isFinite(theirs[at])
      ? { ulp: Math.abs(ordered(a[at]) - ordered(b[at])) }
      : {}),
  };
}

/** The bits of an f32 as a number that grows as the f32 does, by 1 from each to the next. */
function ordered(bits: number): number {
  return bits >>> 31 ? 0x80000000 - bits : bits;
}
