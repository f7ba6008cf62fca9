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
  expectPairs(numerator, denominator);
  const rounds = numerator.length;
  const ratios = resamples(() => {
    const drawn = drawIndices(rounds, random);
    return median(drawn.map((i) => numerator[i])) / median(drawn.map((i) => denominator[i]));
  });
  return { ratio: median(numerator) / median(denominator), ...ratios };
}

/**
 * The median of numerator[i]/denominator[i], with its 95 % interval by the sign test: the ratios whose ranks lie
 * 1.96·√n/2 from the middle, whatever the distribution. Where the speed of the machine jumps between levels this is much
 * narrower than {@link ratioOfMedians} (measured on a loaded machine, 600 pairs: 0.01 against 0.08 wide), and about as
 * wide elsewhere.
 *
 * @param z of the normal distribution: 1.96 for 95 %, 2.58 for 99 %
 * @throws RangeError when the two have not the same number of values
 */
export function medianOfRatios(
  numerator: readonly number[],
  denominator: readonly number[],
  z = 1.96,
): Ratio {
  expectPairs(numerator, denominator);
  const ratios = numerator.map((value, i) => value / denominator[i]).sort((a, b) => a - b);
  const last = ratios.length - 1;
  const rank = Math.max(0, Math.floor((ratios.length - z * Math.sqrt(ratios.length)) / 2));
  return { ratio: median(ratios), low: ratios[rank], high: ratios[last - rank] };
}

/**
 * median(numerator)/median(denominator) of two runs that have nothing to do with each other, so that each is resampled
 * by itself; 95 % percentile bootstrap.
 */
export function ratioOfSeparateMedians(
  numerator: readonly number[],
  denominator: readonly number[],
  random: Philox,
): Ratio {
  const resampled = (values: readonly number[]) =>
    median(drawIndices(values.length, random).map((i) => values[i]));
  const ratios = resamples(() => resampled(numerator) / resampled(denominator));
  return { ratio: median(numerator) / median(denominator), ...ratios };
}

function expectPairs(a: readonly number[], b: readonly number[]): void {
  if (a.length === b.length) return;
  throw new RangeError(`ratio of ${a.length} values to ${b.length}: they must come in pairs`);
}

const drawIndices = (count: number, random: Philox) =>
  Array.from({ length: count }, () => random.below(count));

/** The middle 95 % of a statistic over its resamples. */
function resamples(statistic: () => number): { low: number; high: number } {
  const values = Array.from({ length: RESAMPLES }, statistic);
  return { low: quantile(values, 0.025), high: quantile(values, 0.975) };
}
