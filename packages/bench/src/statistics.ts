import type { Philox } from '@hrm-webgpu/core';

/**
 * The value that a share `q` (0 to 1) of the values lies below, interpolated linearly between neighbours:
 * type 7 of Hyndman & Fan, "Sample quantiles in statistical packages", 1996; NumPy's default.
 *
 * @throws RangeError when there are no values
 */
export function quantile(values: readonly number[], q: number): number {
  if (values.length === 0) throw new RangeError('quantile of no values');
  const sorted = [...values].sort((a, b) => a - b);
  const position = q * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (position - below) * (sorted[above] - sorted[below]);
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** A ratio of medians and its 95 % interval. */
export interface Ratio {
  ratio: number;
  low: number;
  high: number;
}

const RESAMPLES = 2000;

/**
 * median(numerator)/median(denominator) with a 95 % percentile bootstrap interval (Efron & Tibshirani, "An
 * Introduction to the Bootstrap", 1993). Element i of both comes from round i, and rounds are drawn as a
 * whole: what disturbed a round disturbed both sides of it.
 *
 * @throws RangeError when the two have not the same number of values
 */
export function ratioOfMedians(
  numerator: readonly number[],
  denominator: readonly number[],
  random: Philox,
): Ratio {
  const rounds = numerator.length;
  if (denominator.length !== rounds) {
    throw new RangeError(`ratio of ${rounds} values to ${denominator.length}: they must come in pairs`);
  }
  const resampled = Array.from({ length: RESAMPLES }, () => {
    const drawn = Array.from({ length: rounds }, () => random.below(rounds));
    return median(drawn.map((i) => numerator[i])) / median(drawn.map((i) => denominator[i]));
  });
  return {
    ratio: median(numerator) / median(denominator),
    low: quantile(resampled, 0.025),
    high: quantile(resampled, 0.975),
  };
}
