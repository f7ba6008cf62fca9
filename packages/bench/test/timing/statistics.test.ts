import { Philox } from '@hrm-webgpu/core';
import { describe, expect, it } from 'vitest';
import {
  median,
  medianOfRatios,
  quantile,
  ratioOfMedians,
  ratioOfSeparateMedians,
} from '../../src/timing/statistics.ts';

describe('quantile', () => {
  it('interpolates between neighbours, whatever the order', () => {
    expect(quantile([4, 1, 3, 2], 0.25)).toBe(1.75); // numpy.quantile
    expect(quantile([10, 2, 7], 0)).toBe(2);
    expect(quantile([10, 2, 7], 1)).toBe(10);
  });

  it('leaves its argument as it was, and refuses an empty one', () => {
    const values = [3, 1, 2];
    quantile(values, 0.5);
    expect(values).toEqual([3, 1, 2]);
    expect(() => quantile([], 0.5)).toThrow('quantile of no values');
  });
});

describe('median', () => {
  it.each([
    [[5], 5],
    [[3, 1, 2], 2],
    [[1, 10, 2, 3], 2.5],
    [[10, 9, 100], 10], // by value, not by text
  ])('of %j is %d', (values, expected) => expect(median(values)).toBe(expected));
});

/** `count` positive numbers around `center`. */
function noisy(random: Philox, center: number, count: number): number[] {
  return Array.from({ length: count }, () => center * (0.9 + 0.2 * random.uniform()));
}

describe('ratioOfMedians', () => {
  it('is the same for the same seed', () => {
    const [a, b] = [noisy(new Philox(1), 3, 15), noisy(new Philox(2), 2, 15)];
    expect(ratioOfMedians(a, b, new Philox(7))).toEqual(ratioOfMedians(a, b, new Philox(7)));
  });

  it('has no spread without noise', () => {
    expect(ratioOfMedians([6, 6, 6], [2, 2, 2], new Philox(1))).toEqual({ ratio: 3, low: 3, high: 3 });
  });

  it('takes what disturbs a whole round out: the pairs stay together', () => {
    const rounds = noisy(new Philox(3), 10, 25);
    const twice = rounds.map((ms) => 2 * ms);
    const { ratio, low, high } = ratioOfMedians(twice, rounds, new Philox(1));
    expect([ratio, low, high]).toEqual([2, 2, 2]);
  });

  it('covers the true ratio about 95 % of the time', () => {
    const trials = 80;
    let covered = 0;
    for (let trial = 0; trial < trials; trial++) {
      const random = new Philox(100 + trial);
      const { low, high } = ratioOfMedians(noisy(random, 3, 21), noisy(random, 2, 21), random);
      if (low <= 1.5 && 1.5 <= high) covered += 1;
    }
    expect(covered / trials).toBeGreaterThan(0.88);
  });

  it('refuses values that are not pairs', () => {
    expect(() => ratioOfMedians([1, 2], [1], new Philox(1))).toThrow('must come in pairs');
  });
});

describe('medianOfRatios', () => {
  it('is far narrower than the ratio of medians where the machine jumps between speeds', () => {
    const random = new Philox(5);
    const times = () =>
      Array.from({ length: 200 }, () => (1 + random.below(2)) * (1 + 0.02 * random.uniform()));
    const [a, b] = [times(), times()];
    const width = ({ low, high }: { low: number; high: number }) => high - low;
    const narrow = medianOfRatios(a, b);
    expect(narrow.low).toBeLessThan(1);
    expect(narrow.high).toBeGreaterThan(1);
    expect(width(narrow)).toBeLessThan(width(ratioOfMedians(a, b, new Philox(1))) / 3);
  });

  it('covers the true ratio about 95 % of the time', () => {
    const trials = 400;
    let covered = 0;
    for (let trial = 0; trial < trials; trial++) {
      const random = new Philox(300 + trial);
      const { low, high } = medianOfRatios(noisy(random, 3, 41), noisy(random, 3, 41));
      if (low <= 1 && 1 <= high) covered += 1;
    }
    expect(covered / trials).toBeGreaterThan(0.92); // three standard errors below
    expect(covered / trials).toBeLessThan(0.98);
  });

  it('refuses values that are not pairs', () => {
    expect(() => medianOfRatios([1, 2], [1])).toThrow('must come in pairs');
  });
});

describe('ratioOfSeparateMedians', () => {
  it('takes runs of different lengths, and does not pair them', () => {
    const [a, b] = [noisy(new Philox(3), 10, 41), noisy(new Philox(4), 5, 23)];
    const { ratio, low, high } = ratioOfSeparateMedians(a, b, new Philox(1));
    expect(ratio).toBe(median(a) / median(b));
    expect(low).toBeLessThan(2);
    expect(high).toBeGreaterThan(2);
    // A run against itself has no spread in pairs; here each side keeps its own.
    const itself = ratioOfSeparateMedians(a, a, new Philox(1));
    expect(itself.high - itself.low).toBeGreaterThan(0.01);
  });
});
