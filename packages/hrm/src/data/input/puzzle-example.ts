/** A puzzle of one grid, as Sudoku and mazes are. */

export interface PuzzleExample {
  /** Tokens, row by row. */
  input: Uint8Array;
  /** Tokens, row by row. */
  label: Uint8Array;
  /** Where it was read, counted from 1. */
  line?: number;
}
