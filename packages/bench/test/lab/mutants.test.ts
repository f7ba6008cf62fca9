/** Mistakes are planted one at a time, and each can be named. */
import { describe, expect, it } from 'vitest';
import { mutantsOf } from '../../src/lab/mutate/mutants.ts';

const TEXT = `const EPS: f32 = 1e-12;
fn main(i: u32, lane: u32) {
  if (i >= params.rows) {
    return;
  }
  for (var k = 0u; k < params.k; k += 2) {
    sum += x[min(i + k, params.k - 1)] * 0.5;
  }
  workgroupBarrier();
  if (lane == 0) {
    y[i] = fma(sum, sum, max(sum, EPS));
  }
}
`;
const mutants = mutantsOf(TEXT);
const of = (kind: string) => mutants.filter((mutant) => mutant.kind === kind);

describe('mutantsOf', () => {
  it.each([
    ['barrier removed', [['workgroupBarrier();', '', 9]]],
    [
      'guard removed',
      [
        ['i >= params.rows', 'false', 3],
        ['lane == 0', 'true', 10],
      ],
    ],
    [
      'bound shifted',
      [
        ['>=', '>', 3],
        ['<', '<=', 6],
      ],
    ],
    ['start shifted', [['0u', '1u', 6]]],
    [
      'clamp removed',
      [
        ['min(i + k, params.k - 1)', '(i + k)', 7],
        ['max(sum, EPS)', '(sum)', 11],
      ],
    ],
    [
      'constant weakened',
      [
        ['1e-12', String(1e-12 * 1.01), 1],
        ['0.5', '0.505', 7],
      ],
    ],
  ])('%s', (kind, expected) => {
    expect(of(kind).map(({ before, after, line }) => [before, after, line])).toEqual(expected);
  });

  it('sums in half precision', () => {
    expect(of('sum in f16').map(({ after }) => after)).toEqual([
      'sum = quantizeToF16(sum + (x[min(i + k, params.k - 1)] * 0.5));',
      'quantizeToF16(fma(sum, sum, max(sum, EPS)))',
    ]);
  });

  it('changes one place each, and names each otherwise', () => {
    for (const { text, before, after } of mutants) {
      expect(text).not.toBe(TEXT);
      expect(text.length - TEXT.length).toBe(after.length - before.length);
    }
    expect(new Set(mutants.map(({ id }) => id)).size).toBe(mutants.length);
    expect(mutants[0].id).toMatch(/^constant weakened: 1e-12 → .* in const EPS: f32 = 1e-12;$/);
  });

  it('tells alike ones apart', () => {
    const twice = mutantsOf('fn main() {\n  if (a < b && c < d) { }\n}\n').filter(
      ({ kind }) => kind === 'bound shifted',
    );
    expect(twice.map(({ id }) => id.endsWith('(2)'))).toEqual([false, true]);
  });
});
