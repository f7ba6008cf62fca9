import { Philox } from '@hrm-webgpu/core';
import { expect, it } from 'vitest';
import { rulesBroken, sudokuShape } from '../../../src/data/sudoku/sudoku.ts';
import { randomPuzzle } from '../../../src/data/sudoku/sudoku-generator.ts';
import { countSolutions, onlySolution } from '../../../src/data/sudoku/sudoku-solutions.ts';
import { SudokuSolver } from '../../../src/data/sudoku/sudoku-solver.ts';

const nine = sudokuShape(9);

/** All solutions by trying every digit in every blank, nothing cleverer. */
function plainCount(grid: Uint8Array, size: number, limit: number): number {
  const shape = sudokuShape(size);
  const cell = grid.indexOf(0);
  if (cell < 0) return 1;
  let count = 0;
  for (let digit = 1; digit <= size && count < limit; digit++) {
    grid[cell] = digit;
    if (!rulesBroken(shape, grid).includes(cell)) count += plainCount(grid, size, limit - count);
  }
  grid[cell] = 0;
  return count;
}

it.each([4, 6, 9])('counts what plain search counts, on puzzles of size %i with givens removed', (size) => {
  const shape = sudokuShape(size);
  const random = new Philox(size);
  const counts = new Set<number>();
  for (let i = 0; i < 30; i++) {
    const { puzzle } = randomPuzzle(shape, random, Math.floor(shape.cells / 3));
    for (let removed = 0; removed < 6; removed++) puzzle[random.below(shape.cells)] = 0;
    const expected = plainCount(puzzle.slice(), size, 50);
    counts.add(expected);
    expect(countSolutions(shape, puzzle, 50)).toBe(expected);
  }
  // The test means something only if there were puzzles with one and puzzles with several.
  expect(counts.size).toBeGreaterThan(1);
});

it('visits different solutions', () => {
  const found = new Set<string>();
  new SudokuSolver(nine).search(new Uint8Array(81), (digits) => {
    expect(rulesBroken(nine, digits)).toEqual([]);
    found.add(digits.join(''));
    return found.size === 200;
  });
  expect(found.size).toBe(200);
});

it('gives up a proof that would take too long, and only then', () => {
  // P. Norvig's puzzle without a solution, millions of guesses away: https://norvig.com/sudoku.html
  const impossible = '.....5.8....6.1.43..........1.5........1.6...3.......553.....61........4.........';
  const parse = (text: string) => Uint8Array.from(text, (character) => Number(character) || 0);
  expect(onlySolution(nine, parse(impossible))).toBe('unknown');
  // The next search starts afresh, and empty grids have solutions everywhere.
  expect(onlySolution(nine, new Uint8Array(81))).toBe('several');
  const solver = new SudokuSolver(nine);
  expect(solver.search(new Uint8Array(81), () => false, 100)).toBe(false);
  expect(solver.search(new Uint8Array(81), () => true, 100)).toBe(true);
});

it('tells no solution, one and several apart', () => {
  const parse = (text: string) => Uint8Array.from(text, (character) => Number(character) || 0);
  const proper = parse('98.7..6..75..4......3..8.7.5....7.3...94.........2.1..3.......1.9...5.8...52....6');
  const solution = onlySolution(nine, proper) as Uint8Array;
  expect(rulesBroken(nine, solution)).toEqual([]);
  expect(proper.every((digit, cell) => digit === 0 || digit === solution[cell])).toBe(true);
  const emptier = proper.slice();
  emptier[0] = 0;
  expect(onlySolution(nine, emptier)).toBe('several');
  // A given that obeys the rules but not the solution.
  const wrong = proper.slice();
  wrong[2] = [1, 2, 3, 4].find(
    (digit) => digit !== solution[2] && !rulesBroken(nine, proper.with(2, digit)).length,
  )!;
  expect(onlySolution(nine, wrong)).toBe('none');
});
