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
  return faultsOf(input, prediction, (grid) => {
    const inRows = new Set<number>();
    const inColumns = new Set<number>();
    let digits = 0;
    for (const [cell, digit] of grid.entries()) {
      if (digit === 0) continue;
      digits++;
      inRows.add(Math.floor(cell / size) * (size + 1) + digit);
      inColumns.add((cell % size) * (size + 1) + digit);
    }
    return inRows.size < digits || inColumns.size < digits;
  });
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
