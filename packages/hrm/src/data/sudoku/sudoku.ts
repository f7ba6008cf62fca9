/**
 * Sudoku of sizes 4, 6 and 9: shapes, tokens, rules. A grid is its cells row by row, a digit
 * 1 … size each or 0 for a blank.
 */

import { UserError } from '@hrm-webgpu/core';
import { BLANK_TOKEN } from './blank-token.ts';

export interface SudokuShape {
  /** Digits, and cells in each row, column and box. */
  size: number;
  /** Rows of a box. */
  boxRows: number;
  /** Columns of a box. */
  boxColumns: number;
  cells: number;
  /** [cells · 3]: the row, the column and the box of each cell, numbered through from 0 to 3 · size − 1. */
  units: Uint8Array;
}

export interface SudokuPuzzle {
  puzzle: Uint8Array;
  solution: Uint8Array;
}

const BOX_ROWS: Record<number, number> = { 4: 2, 6: 2, 9: 3 };

/** The sizes that there are. */
export const SUDOKU_SIZES: readonly number[] = Object.keys(BOX_ROWS).map(Number);

/**
 * 4×4 with 2×2 boxes, 6×6 with boxes of 2 rows and 3 columns, or 9×9 with 3×3 boxes.
 *
 * @throws UserError for other sizes
 */
export function sudokuShape(size: number): SudokuShape {
  const boxRows = BOX_ROWS[size];
  if (!boxRows) throw new UserError(`sudoku: there is no size ${size} here, expected 4, 6 or 9.`);
  const boxColumns = size / boxRows;
  const cells = size * size;
  const units = new Uint8Array(cells * 3);
  for (let cell = 0; cell < cells; cell++) {
    const row = Math.floor(cell / size);
    const column = cell % size;
    const box = Math.floor(row / boxRows) * boxRows + Math.floor(column / boxColumns);
    units.set([row, size + column, 2 * size + box], cell * 3);
  }
  return { size, boxRows, boxColumns, cells, units };
}

/** The tokens of a grid. */
export function sudokuTokens(grid: ArrayLike<number>): Uint8Array {
  // Not Uint8Array.from with a function, which takes ten times as long: tables have millions of grids.
  const tokens = new Uint8Array(grid.length);
  for (let cell = 0; cell < tokens.length; cell++) tokens[cell] = grid[cell] + BLANK_TOKEN;
  return tokens;
}

/** The grid of tokens, given or predicted; padding becomes blank. */
export function sudokuGrid(tokens: ArrayLike<number>): Uint8Array {
  return Uint8Array.from(tokens, (token) => Math.max(token - BLANK_TOKEN, 0));
}

/** The cells, in ascending order, whose digit occurs again in their row, column or box. */
export function rulesBroken(shape: SudokuShape, grid: ArrayLike<number>): number[] {
  checkGrid(shape, grid);
  const { size, cells, units } = shape;
  const seen = new Uint8Array(3 * size * (size + 1));
  const at = (cell: number, unit: number) => units[cell * 3 + unit] * (size + 1) + grid[cell];
  for (let cell = 0; cell < cells; cell++) {
    if (grid[cell] !== 0) for (let unit = 0; unit < 3; unit++) seen[at(cell, unit)]++;
  }
  const broken: number[] = [];
  for (let cell = 0; cell < cells; cell++) {
    if (grid[cell] === 0) continue;
    if (seen[at(cell, 0)] > 1 || seen[at(cell, 1)] > 1 || seen[at(cell, 2)] > 1) broken.push(cell);
  }
  return broken;
}

/**
 * A string that two grids share exactly if one is the other with its digits renamed: digits are renamed in
 * order of first appearance, row by row.
 *
 * The givens of a puzzle are enough, its solution is not needed: equal strings give a renaming of the digits
 * that appear, and any completion of it to all digits maps one puzzle (and so its solutions) to the other.
 */
export function canonicalUnderRelabelling(grid: ArrayLike<number>): string {
  const renamed = [0];
  let next = 1;
  let canonical = '';
  for (let cell = 0; cell < grid.length; cell++) {
    const digit = grid[cell];
    renamed[digit] ??= next++;
    canonical += renamed[digit];
  }
  return canonical;
}

/** @throws UserError for another number of cells, or one that holds no digit */
export function checkGrid({ size, cells }: SudokuShape, grid: ArrayLike<number>) {
  if (grid.length !== cells) {
    throw new UserError(`sudoku: the grid has ${grid.length} cells, expected ${cells} for ${size}×${size}.`);
  }
  for (let cell = 0; cell < cells; cell++) {
    if (!Number.isInteger(grid[cell]) || grid[cell] < 0 || grid[cell] > size) {
      throw new UserError(
        `sudoku: cell ${cell} holds ${grid[cell]}, expected a digit from 1 to ${size} or 0.`,
      );
    }
  }
}
