/**
 * What the first step may do to a tensor. Adam-atan2 moves every element by ±0.997·lr then (sign-SGD by ±lr), however
 * small its gradient, so that rounding alone may choose the sign of one that is nearly zero.
 */

/** So many roundoffs of a gradient are within rounding of zero. */
const MARGIN = 8;
/** The largest relative error of one rounding to f32. */
const UNIT_ROUNDOFF = 2 ** -24;
/**
 * What lies between a gradient and Adam-atan2's first update, ±lr·atan(1 − β₁)/(1 − β₁): m, g², v, its root, the
 * correction, the quotient, the arctangent, the product. Each is rounded, here and in the published implementation.
 */
const UPDATE_ROUNDINGS = 2 * 8;

/** How an optimiser moves the elements of a tensor in the first step. */
export interface FirstUpdate {
  lr: number;
  /** lr·weight_decay */
  decay: number;
  /** An update in units of lr. */
  size: number;
  /** How far two correct updates may be apart. */
  rounding: number;
}

export function adamUpdate(lr: number, weightDecay: number, beta1: number): FirstUpdate {
  const size = Math.atan(1 - beta1) / (1 - beta1);
  return { lr, decay: lr * weightDecay, size, rounding: UPDATE_ROUNDINGS * UNIT_ROUNDOFF * lr };
}

/** Sign-SGD's update is ±lr itself. */
export function signUpdate(lr: number, weightDecay: number): FirstUpdate {
  return { lr, decay: lr * weightDecay, size: 1, rounding: 0 };
}

/**
 * The rms error of a gradient tensor's elements, by the larger of two estimates:
 *
 * - 2⁻²⁴·√k·rms(terms) for sums of k terms: each term, and each sum on the way, is rounded once. Such sums of terms of
 *   either sign are √k·rms(terms) large themselves, so this is 2⁻²⁴·rms(gradient);
 * - rms(gradient − the same with k in the opposite order): what the terms bring along from the sums before them.
 */
export function roundoffOf(gradient: ArrayLike<number>, opposite: ArrayLike<number>): number {
  let squares = 0;
  let differences = 0;
  for (let i = 0; i < gradient.length; i++) {
    squares += gradient[i] ** 2;
    differences += (gradient[i] - opposite[i]) ** 2;
  }
  return Math.sqrt(Math.max(UNIT_ROUNDOFF ** 2 * squares, differences) / gradient.length);
}

/** A tensor before and after the first step, after the published one, and what it was moved by. */
export interface FirstStep {
  before: Float32Array;
  after: Float32Array;
  reference: Float32Array;
  update: FirstUpdate;
  /** Absent for tensors that are not trained. */
  gradient?: ArrayLike<number>;
  /** See {@link roundoffOf}. */
  roundoff: number;
}

/**
 * How far each element may be from the published one: 2 ulp of max(|before|, lr) and the rounding of the update; where
 * the gradient is within {@link MARGIN} roundoffs of zero, the other sign as well (zero is a sign).
 */
export function allowedAfterFirstStep({
  before,
  after,
  reference,
  update: { lr, decay, size, rounding },
  gradient,
  roundoff,
}: FirstStep): (element: number) => number {
  const signOf = (value: number, i: number) => {
    const updates = (before[i] * (1 - decay) - value) / (size * lr);
    return Math.max(-1, Math.min(1, Math.round(updates)));
  };
  return (i) => {
    const exact = 2 * ulp(Math.max(Math.abs(before[i]), lr)) + rounding;
    if (!gradient || Math.abs(gradient[i]) >= MARGIN * roundoff) return exact;
    return exact + Math.abs(signOf(after[i], i) - signOf(reference[i], i)) * size * lr;
  };
}

/** The distance between f32 numbers of this magnitude. */
export function ulp(magnitude: number): number {
  return 2 ** (Math.floor(Math.log2(magnitude)) - 23);
}
