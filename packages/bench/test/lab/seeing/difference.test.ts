import { describe, expect, it } from 'vitest';
import { differenceOf } from '../../../src/lab/seeing/diff/difference.ts';

const words = (...values: number[]) => new Uint32Array(Float32Array.from(values).buffer);

describe('differenceOf', () => {
  it('sees nothing where all bits are the same, NaNs too', () => {
    expect(differenceOf(words(1, Number.NaN), words(1, Number.NaN), 'f32')).toBeUndefined();
  });

  it.each([
    ['one ulp', 1, 1 + 2 ** -23, 1, 2 ** -23],
    ['across zero', -(2 ** -149), 2 ** -149, 2, 2 ** -148],
    ['across a power of two', 2 - 2 ** -23, 2, 1, 2 ** -23],
    ['the two zeros', 0, -0, 0, 0],
  ])('counts %s', (_, a, b, ulp, error) => {
    expect(differenceOf(words(4, a), words(4, b), 'f32')).toMatchObject({
      count: 1,
      at: 1,
      a,
      b,
      ulp,
      error,
    });
  });

  it('takes the element that is furthest off, relative to the largest', () => {
    const found = differenceOf(words(8, 1, 2, 3), words(8, 1.5, 1, 3), 'f32');
    expect(found).toMatchObject({ count: 2, at: 2, a: 2, b: 1, error: 1, relative: 1 / 8 });
  });

  it('takes a number on one side alone for further off than any', () => {
    const found = differenceOf(words(1, 5, 7), words(-1e38, 5, Number.NaN), 'f32');
    expect(found).toMatchObject({ count: 2, at: 2, error: Number.POSITIVE_INFINITY });
    expect(found?.ulp).toBeUndefined();
  });

  it('compares integers as such', () => {
    const found = differenceOf(Uint32Array.of(0xffffffff, 3), Uint32Array.of(1, 3), 'i32');
    expect(found).toMatchObject({ count: 1, at: 0, a: -1, b: 1, error: 2 });
    expect(found?.ulp).toBeUndefined();
  });
});
