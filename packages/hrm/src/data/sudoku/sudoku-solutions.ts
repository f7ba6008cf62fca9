/** The solutions of Sudoku grids, by search. */

import { checkGrid, type SudokuShape } from './sudoku.ts';
import { SudokuSolver } from './sudoku-solver.ts';

/** Solutions of the grid, counted up to `limit`: 1 of 2 means that the puzzle is proper. */
export function countSolutions(shape: SudokuShape, grid: ArrayLike<number>, limit: number): number {
  let count = 0;
  search(shape, grid, () => ++count >= limit);
  return count;
}

/** A solution of the grid, or undefined if there is none. */
export function solve(shape: SudokuShape, grid: ArrayLike<number>): Uint8Array | undefined {
  let solution: Uint8Array | undefined;
  search(shape, grid, (digits) => {
    solution = digits.slice();
    return true;
  });
  return solution;
}

/**
 * Guesses after which a proof is given up, a second or so. The hardest puzzles known take a hundredth of them; nearly
 * empty grids without a solution can take millions.
 */
export const MOST_GUESSES = 200_000;

/**
 * The solution of a proper puzzle; `none` or `several` where there is not exactly one, `unknown` where that would take
 * too long to find out.
 */
export function onlySolution(
  shape: SudokuShape,
  grid: ArrayLike<number>,
): Uint8Array | 'none' | 'several' | 'unknown' {
  let solution: Uint8Array | 'none' | 'several' = 'none';
  const found = (digits: Uint8Array) => {
    solution = solution === 'none' ? digits.slice() : 'several';
    return solution === 'several';
  };
  return search(shape, grid, found, MOST_GUESSES) ? solution : 'unknown';
}

/** One solver a shape: setting one up costs more than most puzzles. */
const solvers = new Map<number, SudokuSolver>();

/** As {@link SudokuSolver.search}. */
function search(
  shape: SudokuShape,
  grid: ArrayLike<number>,
  found: (digits: Uint8Array) => boolean,
  guesses?: number,
): boolean {
  checkGrid(shape, grid);
  const solver = solvers.get(shape.size) ?? new SudokuSolver(shape);
  solvers.set(shape.size, solver);
  return solver.search(grid, found, guesses);
}
