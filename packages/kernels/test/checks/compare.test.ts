/** What is wrong with a result is said in words that help to find it. */
import { describe, expect, it } from 'vitest';
import { compareArrays, describeComparison, isRight, marginOf } from '../../src/checks/compare.ts';

/** A result of ones, wrong at the places that `isWrong` names. */
function compared(rows: number, columns: number, isWrong: (row: number, column: number) => boolean) {
  const expected = new Float64Array(rows * columns).fill(1);
  const actual = Float32Array.from(expected, (value, at) =>
    isWrong(Math.floor(at / columns), at % columns) ? value + 0.5 : value,
  );
  return compareArrays('c', actual, expected, 1e-6, [rows, columns]);
}

describe('the pattern of what is wrong', () => {
  it.each<[string | undefined, (row: number, column: number) => boolean]>([
    ['all of it', () => true],
    ['all of the last row', (row) => row === 69],
    ['all of row 0', (row) => row === 0],
    ['all of rows ≥ 64', (row) => row >= 64],
    ['all of rows < 2', (row) => row < 2],
    ['all of rows 3 to 5', (row) => row > 2 && row < 6],
    ['all of every 33rd column from 32', (_, column) => column % 33 === 32],
    ['all of every 2nd row', (row) => row % 2 === 0],
    ['all of the last column', (_, column) => column === 98],
    ['all of the last row, columns ≥ 96', (row, column) => row === 69 && column >= 96],
    ['in the last row', (row, column) => row === 69 && (column * 7) % 11 < 2],
    [undefined, (row, column) => (row * 99 + column) % 101 === 7],
  ])('%s', (pattern, isWrong) => {
    expect(compared(70, 99, isWrong).pattern).toBe(pattern);
  });
});

it('says how many are wrong, where the worst is, and by how much', () => {
  const comparison = compared(70, 99, (row) => row === 69);
  expect(isRight(comparison)).toBe(false);
  expect(describeComparison(comparison)).toBe(
    'c: 99 of 6930 wrong, all of the last row; worst [69, 0]: is 1.5, expected 1, off by 5.0e-1 ' +
      '(5.0e+5 × what is allowed, 4.2e+6 ulp)',
  );
});

it('counts a NaN, and an element that is missing, as wrong', () => {
  const expected = Float64Array.of(1, 2, 3);
  for (const actual of [Float32Array.of(1, Number.NaN, 3), Float32Array.of(1, 2)]) {
    const comparison = compareArrays('y', actual, expected, 1);
    expect(comparison.wrong).toBe(1);
    expect(describeComparison(comparison)).toMatch(
      /^y: 1 of 3 wrong, all of (element 1|the last element); worst/,
    );
  }
});

it('a margin is a share of what is allowed', () => {
  const comparison = compareArrays('y', Float32Array.of(1.25), Float64Array.of(1), 0.5);
  expect(isRight(comparison)).toBe(true);
  expect(marginOf(comparison)).toBe(0.5);
  expect(marginOf(compareArrays('y', Int32Array.of(3), Float64Array.of(3), 0))).toBe(0);
});
