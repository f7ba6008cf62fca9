/**
 * How a kernel is checked: a plain float64 reference and the cases to try it on. Checks are exported next to each
 * definition and imported by tests, the doctor and tuning only, so that no bundle of the library carries them.
 */
import type { ConstantValues, HostArray, ParamValues, Philox, Shape } from '@hrm-webgpu/core';
import type { Kernel } from '../kernel.ts';

/** Host data by binding name. */
export type HostArrays = Record<string, HostArray>;

/** Results of a reference by binding name, in float64. */
export type ReferenceArrays = Record<string, Float64Array>;

/** How exact an adapter's built-in functions are: their largest errors in roundoffs (2⁻²⁴) of the result, never less than the one that rounding it makes, nor more than WGSL allows. */
export interface BuiltinErrors {
  /** Of exp for arguments up to `x` away from 0. */
  exp(x: number): number;
  /** Of log: roundoffs of the result or of 1, where that is more. */
  log: number;
  /** Of a division. */
  division: number;
  sqrt: number;
  inverseSqrt: number;
}

export interface KernelCheck<P extends ParamValues> {
  kernel: Kernel<P>;
  /** Parameters to try, with the awkward ones: 1, primes, not multiples of the tile. */
  cases: readonly P[];
  /** Constants to try in every case besides the defaults. */
  variants?: readonly ConstantValues[];
  /** What the bindings hold before the launch; buffers that are only written are made to size with junk in them. */
  inputs(params: P, random: Philox): HostArrays;
  /** Inputs of which an honest kernel makes nothing wrong and a careless one does, by what they are; else as `inputs`. */
  hard?(params: P, random: Philox): Readonly<Record<string, () => HostArrays>>;
  /** Shapes of the bindings that are only written. */
  outputs(params: P): Record<string, Shape>;
  /** Shapes of those that are written in place, where they have more than one extent. */
  inPlace?(params: P): Record<string, Shape>;
  /** Bindings that are written and hold i32 instead of f32. */
  integers?: readonly string[];
  /** The right contents of every binding that the kernel writes, computed in float64 from the same inputs. */
  reference(inputs: HostArrays, params: P, constants: ConstantValues): ReferenceArrays;
  /**
   * Allowed |Δ| of an output, relative to the largest |reference| of that output (at least 1e-30): of all, or of each by
   * the binding's name. About what an honest kernel needs on the adapter at hand; its reason stands beside it. Integers
   * must be equal. `hard` names the inputs, where they are not the common ones.
   */
  tolerance(params: P, errors: BuiltinErrors, hard?: string): number | Readonly<Record<string, number>>;
}

/** 2⁻²⁴, the largest relative error of one rounding to f32. */
export const UNIT_ROUNDOFF = 2 ** -24;

/**
 * About how many roundoffs the largest error of many sums of random terms of both signs is, of the largest sum. The i-th
 * addition rounds a partial sum of √i terms' size, by 0.4 roundoffs in the mean: in all terms/√2 of a term's size, against √terms
 * in the sum. The largest error is up to twice as far out among errors as the largest sum is among sums. Where `block` terms are
 * added to a sum of their own first, that holds within a block, and of the blocks.
 */
export function signedSum(terms: number, block = terms): number {
  const within = Math.min(block, terms);
  return 1.5 * Math.sqrt(within / 6 + (terms - within) / (6 * within));
}

/** As {@link signedSum} for positive terms: roundings have both signs, so that most of them cancel. */
export function positiveSum(terms: number): number {
  return 0.3 * Math.sqrt(terms);
}

/**
 * As {@link signedSum} where there are few sums, so that the largest is not far out among sums as its error is among errors: the
 * largest of a hundred draws of the inputs is up to 1.5 times as far off (measured on llvmpipe). Other adapters round as other draws do.
 */
export const fewSignedSums = (terms: number) => 1.5 * signedSum(terms);

/**
 * As {@link positiveSum}, the most in a hundred draws of so many sums: each is off by 0.25·√terms in rms (measured, of sums just above a
 * power of two), and the largest of k normal errors is √(2 ln 2k) times that. Positive sums are alike: none is large enough to hide it.
 */
export const positiveSums = (terms: number, sums: number) =>
  0.25 * Math.sqrt(terms) * Math.sqrt(2 * Math.log(200 * sums));

/** `count` numbers, uniform in [−1, 1), exact in f32. */
export function uniformArray(random: Philox, count: number): Float32Array {
  return Float32Array.from({ length: count }, () => 2 * random.uniform() - 1);
}

/** `count` whole numbers, uniform in [0, below). */
export function integerArray(random: Philox, count: number, below: number): Int32Array {
  return Int32Array.from({ length: count }, () => random.below(below));
}
