import { describe, expect, it } from 'vitest';
import { fold, linearGrid } from '../src/kernel.ts';

describe('fold', () => {
  it.each([1, 2, 65_535])('leaves %d workgroups in one dimension', (groups) => {
    expect(fold(groups)).toEqual([groups, 1]);
  });

  it.each([65_536, 65_537, 100_000, 1_000_003, 65_535 * 60_000])('folds %d into a near-square', (groups) => {
    const [x, y] = fold(groups);
    expect(x).toBeLessThanOrEqual(65_535);
    expect(Math.abs(x - y)).toBeLessThanOrEqual(1);
    expect(x * y).toBeGreaterThanOrEqual(groups);
    expect(x * y - groups).toBeLessThan(x); // idle ones in the last row alone
  });

  it('gives a grid to any number of threads', () => {
    expect(linearGrid(64 * 65_536, 64)).toEqual([256, 256, 1]);
  });
});
