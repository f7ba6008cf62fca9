/** What the bars of a trace let pass, and what not. */
import { Philox } from '@hrm-webgpu/core';
import { describe, expect, it } from 'vitest';
import { Comparison } from '../../src/parity/comparison.ts';
import { envelope } from '../../src/parity/trace/envelope.ts';
import {
  adamUpdate,
  allowedAfterFirstStep,
  type FirstUpdate,
  roundoffOf,
  signUpdate,
} from '../../src/parity/trace/first-update.ts';
import { Halting } from '../../src/parity/trace/halting.ts';
import { PuzzleMoves } from '../../src/parity/trace/puzzle-rows.ts';

describe('a comparison', () => {
  it('keeps the element with the largest share of what it is allowed', () => {
    const comparison = new Comparison();
    const allowed = (i: number) => [1, 0.1][i];
    expect(comparison.elements('group', 'name', [1.5, 2.08], [1, 2], allowed)).toBe(true);
    expect(comparison.rows).toMatchObject([{ ok: true, allowed: 0.1, where: 'name[1] = 2.08, expected 2' }]);
    expect(comparison.elements('group', 'other', [0, Number.NaN], [0, 0], 1)).toBe(false);
    expect(comparison.rows).toMatchObject([{ ok: false, compared: 2, error: Number.NaN }]);
  });

  it('counts what became of an evaluation on its own states only where that is judged', () => {
    const beside = (judged: boolean) => {
      const comparison = new Comparison();
      comparison.note('group', 'place', 0, 1);
      comparison.beside('group', { error: 2, allowed: 1, share: 2, where: 'place', growth: 5, judged });
      return comparison.rows[0].ok;
    };
    expect(beside(true)).toBe(false);
    expect(beside(false)).toBe(true);
  });
});

describe('the envelope', () => {
  it('is the bar and four times the difference of the two orders, and ten bars at most', () => {
    expect(envelope(0, 0.5)).toBe(0.5);
    expect(envelope(1, 0.5)).toBe(4.5);
    expect(envelope(100, 0.5)).toBe(5);
  });
});

/** A sum of k products of either sign: in f32 in blocks of 32, as the engine's products add up, and in float64. */
function sumOf(k: number, random: Philox): { rounded: number; exact: number } {
  let [rounded, block, exact] = [0, 0, 0];
  for (let i = 1; i <= k; i++) {
    const [x, y] = [Math.fround(2 * random.uniform() - 1), Math.fround(2 * random.uniform() - 1)];
    exact += x * y;
    block = Math.fround(block + Math.fround(x * y));
    if (i % 32 > 0 && i < k) continue;
    rounded = Math.fround(rounded + block);
    block = 0;
  }
  return { rounded, exact };
}

describe('the roundoff of a gradient', () => {
  it.each([4, 68, 1024])('is the rms error of a sum of %d terms in f32, within a factor of 4', (k) => {
    const sums = Array.from({ length: 256 }, (_, i) => sumOf(k, new Philox(i)));
    const squares = sums.reduce((total, { rounded, exact }) => total + (rounded - exact) ** 2, 0);
    const rounded = sums.map((sum) => sum.rounded);
    // The other order tells nothing here.
    const ratio = Math.sqrt(squares / sums.length) / roundoffOf(rounded, rounded);
    expect(ratio).toBeGreaterThan(1 / 4);
    expect(ratio).toBeLessThan(4);
  });

  it('is the rms difference of the two orders where that is larger', () => {
    expect(roundoffOf([3, -4], [3.5, -4])).toBeCloseTo(0.5 / Math.SQRT2);
  });
});

describe('after the first step', () => {
  const adam = adamUpdate(1e-3, 0.1, 0.9);
  const moved = (p: number, sign: number, { lr, decay, size }: FirstUpdate) =>
    Math.fround(p * (1 - decay) - sign * size * lr);

  /** Whether an element that the two implementations moved by these signs is within its bar; `off` is added to ours. */
  function passes(
    update: FirstUpdate,
    p: number,
    signs: [number, number],
    gradient: number,
    off = 0,
  ): boolean {
    const [after, reference] = signs.map((sign) => Float32Array.of(moved(p, sign, update)));
    after[0] += off;
    const allowed = allowedAfterFirstStep({
      before: Float32Array.of(p),
      after,
      reference,
      update,
      gradient: [gradient],
      roundoff: 1e-9,
    });
    return new Comparison().elements('group', 'name', after, reference, allowed);
  }

  it('moves by 0.997·lr, as the published update does', () => {
    expect(adam.size).toBeCloseTo(0.9967, 4);
  });

  it.each([
    ['Adam-atan2', adam],
    ['sign-SGD', signUpdate(1e-2, 0.1)],
  ])('%s may choose the other sign within eight roundoffs of zero, and only there', (_, update) => {
    expect(passes(update, 0.3, [1, -1], 7e-9)).toBe(true);
    expect(passes(update, 0.3, [0, 1], 7e-9)).toBe(true);
    expect(passes(update, 0.3, [1, -1], 9e-9)).toBe(false);
    expect(passes(update, 0.3, [0, 1], 9e-9)).toBe(false);
  });

  it('an element whose sign is right, or whose other sign is not all, has no more room for it', () => {
    expect(passes(adam, 0.3, [1, 1], 7e-9, 2e-5)).toBe(false);
    expect(passes(adam, 0.3, [1, -1], 7e-9, -2e-5)).toBe(false);
    expect(passes(adam, 0.3, [1, -1], 7e-9, 0.01)).toBe(false);
  });

  it('allows 2 ulp of the larger of the element and lr, and what rounding does to lr', () => {
    const ulp = 2 ** -25; // between 0.25 and 0.5
    expect(passes(adam, 0.3, [1, 1], 1, 2 * ulp)).toBe(true);
    expect(passes(adam, 0.3, [1, 1], 1, 3 * ulp)).toBe(false);
    const rate = 1e-3 * 2 ** -20; // sixteen roundings
    expect(passes(adam, 1e-6, [1, 1], 1, 1.1 * rate)).toBe(true);
    expect(passes(adam, 1e-6, [1, 1], 1, 1.4 * rate)).toBe(false);
  });

  it('holds tensors that are not trained to what they were', () => {
    const before = Float32Array.of(0.3);
    const allowed = allowedAfterFirstStep({
      before,
      after: before,
      reference: before,
      update: adam,
      roundoff: 0,
    });
    expect(allowed(0)).toBeLessThan(1e-7);
  });
});

describe('puzzle rows after several steps', () => {
  const width = 2;
  const rates = (lr: number) => ({ lr: 0, puzzle_emb_lr: lr });
  const moves = new PuzzleMoves(0.1);
  moves.note([1, 1], rates(0.005));
  moves.note([1], rates(0.01));
  moves.note([2], rates(0.02));

  function passes(identifier: number, off: number): boolean {
    const reference = new Float32Array(3 * width).fill(0.3);
    const rows = reference.slice();
    rows[identifier * width + 1] += off;
    return new Comparison().elements('g', 'n', rows, reference, moves.allowed(rows, reference, width));
  }

  it('may be off by one move that went the other way, or was none', () => {
    expect(passes(1, 0.02)).toBe(true);
    expect(passes(1, -0.01)).toBe(true);
    expect(passes(1, 2 * 0.005 * (1 - 0.001))).toBe(true); // decayed by the second step
    expect(passes(2, 0.04)).toBe(true);
  });

  it('may not be anywhere else', () => {
    for (const off of [0.001, 0.01001, 0.015, 0.03, 1e-6]) expect(passes(1, off)).toBe(false);
    expect(passes(2, 0.01)).toBe(false);
  });

  it('must be equal where the row has not moved', () => {
    expect(passes(0, 0)).toBe(true);
    expect(passes(0, 1e-7)).toBe(false);
  });
});

describe('halting', () => {
  it('is judged until q_halt and q_continue are as good as equal', () => {
    const halting = new Halting(2);
    const q = (gaps: number[]) => Float32Array.from(gaps.flatMap((gap) => [5 + gap, 5]));
    halting.see(1, q([0.1, -1]), q([0.1, -1]));
    expect(halting.undecidedRows).toBe(0);
    halting.see(2, q([0.1, -0.001]), q([0.1, -0.0011])); // rounding: 4 × 1e-4 and 2e-5 × 5
    expect(halting.undecidedRows).toBe(0);
    halting.see(3, q([0.1, -0.001]), q([0.1, -0.0013]));
    expect([halting.isJudged(0), halting.isJudged(1)]).toEqual([true, false]);
    halting.see(4, q([0.00009, 1]), q([0.00009, 1])); // the row that is not judged stays so
    expect(halting.undecidedRows).toBe(2);
    expect(halting.remarks).toEqual([
      'row 1 is not judged from step 3 on: q_halt − q_continue = -1.0e-3',
      'row 0 is not judged from step 4 on: q_halt − q_continue = 9.0e-5',
    ]);
    expect(halting.unjudgedShare).toBe(3 / 8);
  });
});
