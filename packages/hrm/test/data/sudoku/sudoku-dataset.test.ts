import { UserError } from '@hrm-webgpu/core';
import { describe, expect, it } from 'vitest';
import { type Split, validateSplit } from '../../../src/data/dataset/dataset.ts';
import { rulesBroken, sudokuGrid, sudokuShape } from '../../../src/data/sudoku/sudoku.ts';
import { buildSudokuSplits } from '../../../src/data/sudoku/sudoku-dataset.ts';
import { countSolutions } from '../../../src/data/sudoku/sudoku-solutions.ts';
import { rowsOf } from '../fixture.ts';

const four = sudokuShape(4);
const options = { shape: four, minBlanks: 4, maxBlanks: 8, train: 2000, validation: 300, test: 300, seed: 0 };

/** The rows of a split's array as strings. */
function rows(split: Split, array: 'inputs' | 'labels'): string[] {
  return rowsOf(split.sets.get('all')![array]).map((row) => row.join());
}

/** All orders of a list. */
function permutations(list: number[]): number[][] {
  if (list.length === 0) return [[]];
  return list.flatMap((item) =>
    permutations(list.filter((other) => other !== item)).map((rest) => [item, ...rest]),
  );
}

describe('buildSudokuSplits', () => {
  const splits = buildSudokuSplits(options);
  const all = Object.values(splits) as Split[];

  it('makes valid splits of the asked sizes', () => {
    for (const split of all) validateSplit(split);
    expect(all.map((split) => rows(split, 'inputs').length)).toEqual([2000, 300, 300]);
    expect(splits.train.metadata).toEqual({
      pad_id: 0,
      ignore_label_id: 0,
      blank_identifier_id: 0,
      vocab_size: 6,
      seq_len: 16,
      num_puzzle_identifiers: 1,
      total_groups: 2000,
      mean_puzzle_examples: 1,
      sets: ['all'],
      task: 'sudoku',
    });
    expect(splits.test.sets.get('all')!.groupIndices).toEqual(Int32Array.from({ length: 301 }, (_, i) => i));
  });

  it('makes proper puzzles with the right labels, every number of blanks equally often', () => {
    for (const split of all) {
      const labels = rows(split, 'labels');
      const counts = new Array(17).fill(0);
      rows(split, 'inputs').forEach((row, i) => {
        const puzzle = sudokuGrid(row.split(',').map(Number));
        const solution = sudokuGrid(labels[i].split(',').map(Number));
        expect(countSolutions(four, puzzle, 2)).toBe(1);
        expect(rulesBroken(four, solution)).toEqual([]);
        expect(puzzle.every((digit, cell) => digit === 0 || digit === solution[cell])).toBe(true);
        expect(solution.includes(0)).toBe(false);
        counts[puzzle.filter((digit) => digit === 0).length]++;
      });
      expect(counts.slice(4, 9)).toEqual(Array(5).fill(labels.length / 5));
    }
  });

  it('has no puzzle twice, in any split, under any of the 24 relabellings', () => {
    const known = new Map<string, number>();
    for (const row of all.flatMap((split) => rows(split, 'inputs')))
      known.set(row, (known.get(row) ?? 0) + 1);
    expect(known.size).toBe(2600);
    const orders = permutations([2, 3, 4, 5]);
    expect(orders).toHaveLength(24);
    for (const row of [...rows(splits.test, 'inputs'), ...rows(splits.validation, 'inputs')]) {
      const tokens = row.split(',').map(Number);
      const images = new Set(orders.map((order) => tokens.map((t) => (t < 2 ? t : order[t - 2])).join()));
      expect([...images].filter((image) => known.has(image))).toEqual([row]);
    }
  });

  it('depends on the seed; test and validation not on the size of train', () => {
    const again = buildSudokuSplits({ ...options, train: 10 });
    for (const name of ['validation', 'test'] as const) {
      expect(rows(again[name], 'inputs')).toEqual(rows(splits[name], 'inputs'));
      expect(rows(again[name], 'labels')).toEqual(rows(splits[name], 'labels'));
    }
    expect(rows(again.train, 'inputs')).toEqual(rows(splits.train, 'inputs').slice(0, 10));
    const other = buildSudokuSplits({ ...options, train: 10, seed: 1 });
    expect(rows(other.test, 'inputs')).not.toEqual(rows(splits.test, 'inputs'));
  });

  it('makes 21,024 puzzles of 4×4 in seconds', { timeout: 10_000 }, () => {
    const { train } = buildSudokuSplits({ ...options, train: 20_000, validation: 512, test: 512 });
    expect(new Set(rows(train, 'inputs')).size).toBe(20_000);
  });

  it('finds every puzzle there is, then says so', () => {
    // One blank: 12 solutions up to relabelling, 16 cells.
    const one = { ...options, minBlanks: 1, maxBlanks: 1, validation: 0, test: 0 };
    expect(rows(buildSudokuSplits({ ...one, train: 192 }).train, 'inputs')).toHaveLength(192);
    expect(() => buildSudokuSplits({ ...one, train: 193 })).toThrow(UserError);
    expect(() => buildSudokuSplits({ ...one, train: 193 })).toThrow(
      /after 192 puzzles no new 4×4 puzzle with 1 blanks/,
    );
  });

  it('refuses impossible options', () => {
    expect(() => buildSudokuSplits({ ...options, minBlanks: 9 })).toThrow(/9 to 8 blanks/);
    expect(() => buildSudokuSplits({ ...options, maxBlanks: 17 })).toThrow(
      /4 to 17 blanks, expected integers from 0 to 16/,
    );
    expect(() => buildSudokuSplits({ ...options, train: -1 })).toThrow(/-1, 300 and 300 puzzles/);
    expect(() => buildSudokuSplits({ ...options, minBlanks: 13, maxBlanks: 13 })).toThrow(
      /no 4×4 puzzle with 13 blanks/,
    );
  });

  it('makes the larger shapes too', () => {
    for (const [size, blanks] of [
      [6, 20],
      [9, 50],
    ]) {
      const shape = sudokuShape(size);
      const { train } = buildSudokuSplits({
        ...options,
        shape,
        maxBlanks: blanks,
        train: 50,
        validation: 5,
        test: 5,
      });
      validateSplit(train);
      expect(train.metadata.vocab_size).toBe(size + 2);
    }
  });
});
