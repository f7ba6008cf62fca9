/** Whether answers to Sudokus and Latin squares keep the rules, whatever their labels say. */

import { rulesBroken, type SudokuShape, sudokuGrid } from './sudoku.ts';

/** An answer is valid if it has none of the faults. */
export interface DigitFaults {
  /** A digit occurs twice in a row, column or box. */
  brokenRules: boolean;
  /** A given is not as it was. */
  changedGivens: boolean;
  /** A cell has no digit. */
  blanks: boolean;
}

/** Whether an answer is valid. */
export function isFaultless({ brokenRules, changedGivens, blanks }: DigitFaults): boolean {
  return !brokenRules && !changedGivens && !blanks;
}

/**
 * @param input [cells] tokens
 * @param prediction [cells] tokens
 */
export function sudokuFaults(
  shape: SudokuShape,
  input: ArrayLike<number>,
  prediction: ArrayLike<number>,
): DigitFaults {
  return faultsOf(input, prediction, (grid) => rulesBroken(shape, grid).length > 0);
}

/**
 * As {@link sudokuFaults}, without boxes.
 *
 * @param size digits, and cells in each row and column
 */
export function latinFaults(
  size: number,
  input: ArrayLike<number>,
  prediction: ArrayLike<number>,
): DigitFaults {
  return faultsOf(input, prediction, (grid) => latinBroken(size, grid).length > 0);
}

/** The cells of a Latin square, in ascending order, whose digit occurs again in their row or column; 0 is a blank. */
export function latinBroken(size: number, grid: Uint8Array): number[] {
  const cells = [...grid.keys()].filter((cell) => grid[cell] !== 0);
  const row = (cell: number) => Math.floor(cell / size);
  return cells.filter((cell) =>
    cells.some(
      (other) =>
        other !== cell &&
        grid[other] === grid[cell] &&
        (row(other) === row(cell) || other % size === cell % size),
    ),
  );
}

function faultsOf(
  input: ArrayLike<number>,
  prediction: ArrayLike<number>,
  broken: (grid: Uint8Array) => boolean,
): DigitFaults {
  const givens = sudokuGrid(input);
  const grid = sudokuGrid(prediction);
  return {
    brokenRules: broken(grid),
    changedGivens: givens.some((digit, cell) => digit !== 0 && digit !== grid[cell]),
    blanks: grid.includes(0),
  };
}
