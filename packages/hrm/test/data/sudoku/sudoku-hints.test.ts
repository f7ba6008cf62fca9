import { Philox } from '@hrm-webgpu/core';
import { expect, it } from 'vitest';
import { easierTwin } from '../../../src/data/sudoku/sudoku-hints.ts';

const label = Uint8Array.from('1234341221434321', (digit) => Number(digit) + 1);
/** A puzzle with the first cells blank. */
const puzzle = (blanks: number) => ({
  input: label.map((token, cell) => (cell < blanks ? 1 : token)),
  label,
});
const blanksOf = (tokens: Uint8Array) => tokens.filter((token) => token === 1).length;

it('gives 1 to blanks − 1 of the blanks, each number and each cell equally often', () => {
  const random = new Philox(0, 1);
  const counts = new Map<number, number>();
  const given = new Array(6).fill(0);
  const TRIES = 5000;
  for (let i = 0; i < TRIES; i++) {
    const twin = easierTwin(puzzle(6), random);
    if (!twin) return expect.unreachable();
    expect(twin.label).toEqual(label);
    twin.input.forEach((token, cell) => {
      if (cell >= 6) expect(token).toBe(label[cell]);
      else if (token !== 1) {
        expect(token).toBe(label[cell]);
        given[cell]++;
      }
    });
    const revealed = 6 - blanksOf(twin.input);
    counts.set(revealed, (counts.get(revealed) ?? 0) + 1);
  }
  expect([...counts.keys()].sort()).toEqual([1, 2, 3, 4, 5]);
  // 1000 of each, and 2500 of each cell, within five standard deviations.
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(5 * Math.sqrt(800));
  for (const count of given) expect(Math.abs(count - 2500)).toBeLessThan(5 * Math.sqrt(1250));
});

it('is none for a puzzle with fewer than two blanks, and leaves the puzzle as it is', () => {
  const random = new Philox(0, 1);
  expect(easierTwin(puzzle(1), random)).toBeUndefined();
  const two = puzzle(2);
  expect(blanksOf((easierTwin(two, random) as typeof two).input)).toBe(1);
  expect(blanksOf(two.input)).toBe(2);
});
