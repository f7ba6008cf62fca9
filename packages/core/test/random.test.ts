import { Philox, philoxBlock } from '@hrm-webgpu/core';
import { describe, expect, it } from 'vitest';

const words = (...values: number[]) => Uint32Array.from(values);

describe('Philox4x32-10', () => {
  // The known-answer vectors that come with the paper's own Random123 library (kat_vectors).
  it.each([
    [words(0, 0, 0, 0), 0, 0, words(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8)],
    [
      words(0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff),
      0xffffffff,
      0xffffffff,
      words(0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd),
    ],
    [
      words(0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344),
      0xa4093822,
      0x299f31d0,
      words(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1),
    ],
  ])('matches the published known answers (%#)', (counter, key0, key1, expected) => {
    const out = new Uint32Array(4);
    philoxBlock(counter, key0, key1, out);
    expect(out).toEqual(expected);
  });

  it('continues from a stored position with the same numbers', () => {
    const first = new Philox(7, 3);
    for (let i = 0; i < 13; i++) first.nextU32();
    const second = Philox.fromState(JSON.parse(JSON.stringify(first.state)));
    for (let i = 0; i < 20; i++) expect(second.nextU32()).toBe(first.nextU32());
  });

  it('draws every value of a small range, and streams differ', () => {
    const random = new Philox(1);
    const counts = [0, 0, 0, 0, 0];
    for (let i = 0; i < 5000; i++) counts[random.below(5)]++;
    // Binomial(5000, 1/5): mean 1000, standard deviation 28; ±5 of them.
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(142);
    expect(new Philox(1, 1).nextU32()).not.toBe(new Philox(1, 2).nextU32());
  });

  it('shuffles to a permutation', () => {
    const shuffled = new Philox(5).shuffle(Array.from({ length: 50 }, (_, i) => i));
    expect([...shuffled].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(shuffled).not.toEqual([...shuffled].sort((a, b) => a - b));
  });
});
