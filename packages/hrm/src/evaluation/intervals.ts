/** Confidence intervals at 95 %. */

/** Two-sided 95 % quantile of the standard normal distribution. */
const Z = 1.959963984540054;

/** Lower and upper end. */
export type Interval = [low: number, high: number];

/**
 * The interval of a share out of `count` independent draws (Wilson, "Probable inference, the law of succession, and
 * statistical inference", 1927). It holds for means of draws within [0, 1] as well, which vary at most as much as draws
 * that are 0 or 1; there it is wider than need be.
 *
 * @param share in [0, 1]
 */
export function wilsonInterval(share: number, count: number): Interval {
  if (count === 0) return [0, 1];
  const weight = Z ** 2 / count;
  const middle = (share + weight / 2) / (1 + weight);
  const half = (Z * Math.sqrt((share * (1 - share)) / count + weight / (4 * count))) / (1 + weight);
  // Rounding may push the ends at shares 0 and 1 a little past the share.
  return [Math.max(0, Math.min(share, middle - half)), Math.min(1, Math.max(share, middle + half))];
}

/** The normal interval of the mean of `count` independent draws; undefined for fewer than two. */
export function meanInterval(sum: number, sumOfSquares: number, count: number): Interval | undefined {
  if (count < 2) return undefined;
  const mean = sum / count;
  const variance = Math.max(0, (sumOfSquares - sum * mean) / (count - 1));
  const half = Z * Math.sqrt(variance / count);
  return [mean - half, mean + half];
}
