import { Philox } from '@hrm-webgpu/core';
import { describe, expect, it } from 'vitest';
import { holdOut } from '../../../src/data/hold-out.ts';
import { rulesBroken, sudokuGrid, sudokuShape, sudokuTokens } from '../../../src/data/sudoku/sudoku.ts';
import { SudokuAugmenter } from '../../../src/data/sudoku/sudoku-augment.ts';
import { sudokuFingerprint } from '../../../src/data/sudoku/sudoku-fingerprint.ts';
import { randomPuzzle } from '../../../src/data/sudoku/sudoku-generator.ts';

const example = (size: number, seed = 0) => {
  const shape = sudokuShape(size);
  const { puzzle, solution } = randomPuzzle(shape, new Philox(seed), Math.floor(shape.cells / 2));
  return { input: sudokuTokens(puzzle), label: sudokuTokens(solution) };
};

describe.each([4, 6, 9])('copies of puzzles of size %i', (size) => {
  const shape = sudokuShape(size);
  const original = example(size);
  const augmenter = new SudokuAugmenter(shape, new Philox(1));
  const copies = Array.from({ length: 400 }, () => {
    const { input, label } = augmenter.next(original);
    return { input: input.slice(), label: label.slice() };
  });

  it('are proper puzzles with their solutions', () => {
    const givens = original.input.filter((token) => token > 1).length;
    for (const { input, label } of copies) {
      expect(rulesBroken(shape, sudokuGrid(label))).toEqual([]);
      expect(label.every((token) => token > 1)).toBe(true);
      expect(input.filter((token) => token > 1)).toHaveLength(givens);
      expect(input.every((token, cell) => token === 1 || token === label[cell])).toBe(true);
    }
  });

  it('use every symmetry', () => {
    const texts = new Set(copies.map(({ input }) => input.join()));
    // A 4×4 puzzle has few enough copies for some to come twice.
    expect(texts.size).toBeGreaterThan(300);
    // Where a single given ends up: in every cell, as every digit.
    const one = { input: new Uint8Array(shape.cells).fill(1), label: original.label };
    one.input[0] = 2;
    const places = new Set<number>();
    const digits = new Set<number>();
    for (let i = 0; i < 2000; i++) {
      const { input } = augmenter.next(one);
      const cell = input.findIndex((token) => token > 1);
      places.add(cell);
      digits.add(input[cell]);
    }
    expect(places.size).toBe(shape.cells);
    expect(digits.size).toBe(size);
  });

  it('share a fingerprint that other puzzles do not have', () => {
    const fingerprint = (tokens: Uint8Array) => sudokuFingerprint(shape, sudokuGrid(tokens));
    const own = fingerprint(original.input);
    for (const { input } of copies) expect(fingerprint(input)).toBe(own);
    // 4×4 puzzles are few, so others may well be equivalent.
    if (size === 4) return;
    const others = Array.from({ length: 50 }, (_, i) => fingerprint(example(size, i + 1).input));
    expect(new Set([own, ...others]).size).toBe(51);
  });
});

it('transposes half of the copies', () => {
  const shape = sudokuShape(9);
  // Two givens in one row stay in one row exactly where nothing is transposed.
  const input = new Uint8Array(81).fill(1);
  input.set([2, 3]);
  const augmenter = new SudokuAugmenter(shape, new Philox(2));
  let transposed = 0;
  for (let i = 0; i < 2000; i++) {
    const copy = augmenter.next({ input, label: input }).input;
    const [a, b] = [...copy.keys()].filter((cell) => copy[cell] > 1);
    if (a % 9 === b % 9) transposed++;
  }
  // Four standard deviations of a fair coin are 0.045.
  expect(Math.abs(transposed / 2000 - 0.5)).toBeLessThan(0.045);
});

it('holds a test split out without copies of it in the rest', () => {
  const items = Array.from({ length: 100 }, (_, i) => i);
  const { train, test, copies } = holdOut(items, 10, (item) => item % 50, new Philox(0));
  expect(test).toHaveLength(10);
  expect(train.some((item) => test.some((other) => other % 50 === item % 50))).toBe(false);
  expect(train.length + test.length + copies).toBe(100);
  expect(copies).toBeGreaterThan(0);
});
