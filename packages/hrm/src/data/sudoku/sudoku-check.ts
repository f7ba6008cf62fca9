/** Whether answers to Sudoku puzzles keep the rules, whatever their labels say. */

import { rulesBroken, type SudokuShape, sudokuGrid } from './sudoku.ts';

/** An answer is valid if it has none of the faults. */
export interface SudokuFaults {
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
): SudokuFaults {
  const givens = sudokuGrid(input);
  const grid = sudokuGrid(prediction);
  return {
    brokenRules: rulesBroken(shape, grid).length > 0,
    changedGivens: givens.some((digit, cell) => digit !== 0 && digit !== grid[cell]),
    blanks: grid.includes(0),
  };
}
