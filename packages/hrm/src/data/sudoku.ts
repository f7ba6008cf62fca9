/**
 * Sudoku of sizes 4, 6 and 9: solving, making and comparing grids. A grid is its cells row by row, a digit
 * 1 … size each or 0 for a blank.
 */

import { type Philox, UserError } from '@hrm-webgpu/core';

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

/** The token of a blank; digit d is token d + 1 and padding is 0, so there are size + 2 tokens. */
export const BLANK_TOKEN = 1;

/** Solutions to start from before a number of blanks counts as out of reach. */
const DIG_ATTEMPTS = 1000;

const BOX_ROWS: Record<number, number> = { 4: 2, 6: 2, 9: 3 };

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
  return Uint8Array.from(grid, (digit) => digit + BLANK_TOKEN);
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
  const filled = Array.from({ length: cells }, (_, cell) => cell).filter((cell) => grid[cell] !== 0);
  for (const cell of filled) for (let unit = 0; unit < 3; unit++) seen[at(cell, unit)]++;
  return filled.filter((cell) => [0, 1, 2].some((unit) => seen[at(cell, unit)] > 1));
}

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

/** A full grid. Each can come out; they are not exactly equally likely. */
export function randomSolution(shape: SudokuShape, random: Philox): Uint8Array {
  let solution = new Uint8Array(shape.cells);
  const keep = (digits: Uint8Array) => {
    solution = digits.slice();
    return true;
  };
  search(shape, solution, keep, random);
  return solution;
}

/**
 * A puzzle with exactly one solution and exactly `blanks` blanks: cells of a random solution are emptied in
 * random order, leaving out those that would allow a second solution.
 *
 * @throws UserError if no such puzzle turns up; few 9×9 puzzles have more than 57 blanks
 */
export function randomPuzzle(shape: SudokuShape, random: Philox, blanks: number): SudokuPuzzle {
  for (let attempt = 0; attempt < DIG_ATTEMPTS; attempt++) {
    const solution = randomSolution(shape, random);
    const puzzle = dig(shape, solution, random, blanks);
    if (puzzle) return { puzzle, solution };
  }
  throw new UserError(
    `sudoku: no ${shape.size}×${shape.size} puzzle with ${blanks} blanks and one solution turned up in ` +
      `${DIG_ATTEMPTS} attempts. Ask for fewer blanks.`,
  );
}

function dig(
  shape: SudokuShape,
  solution: Uint8Array,
  random: Philox,
  blanks: number,
): Uint8Array | undefined {
  const puzzle = solution.slice();
  const order = random.shuffle(Uint8Array.from(puzzle, (_, cell) => cell));
  let left = blanks;
  for (let i = 0; left > 0 && i + left <= shape.cells; i++) {
    const cell = order[i];
    puzzle[cell] = 0;
    if (countSolutions(shape, puzzle, 2) === 1) left--;
    else puzzle[cell] = solution[cell];
  }
  return left === 0 ? puzzle : undefined;
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

/** The digits of a set of digits; bit d − 1 stands for digit d. */
const DIGITS_OF = Array.from({ length: 1 << 9 }, (_, set) =>
  [1, 2, 3, 4, 5, 6, 7, 8, 9].filter((digit) => set & (1 << (digit - 1))),
);

/**
 * Calls `found` for every solution until it returns true; the array is the search's own. Backtracking over
 * the blank with the fewest digits left, which are tried in ascending or, given `random`, random order.
 */
function search(
  shape: SudokuShape,
  grid: ArrayLike<number>,
  found: (digits: Uint8Array) => boolean,
  random?: Philox,
): void {
  checkGrid(shape, grid);
  const { size, cells, units } = shape;
  const all = (1 << size) - 1;
  const digits = Uint8Array.from(grid);
  const used = new Uint16Array(3 * size); // digits used in each unit
  const blanks = new Uint8Array(cells);
  let blankCount = 0;

  const freeAt = (cell: number) =>
    all & ~(used[units[cell * 3]] | used[units[cell * 3 + 1]] | used[units[cell * 3 + 2]]);
  const toggle = (cell: number, digit: number) => {
    for (let unit = 0; unit < 3; unit++) used[units[cell * 3 + unit]] ^= 1 << (digit - 1);
  };

  /** Fills blanks[0 … open − 1]; true to stop. */
  const fill = (open: number): boolean => {
    if (open === 0) return found(digits);
    let best = 0;
    let fewest: number[] = DIGITS_OF[all];
    for (let i = 0; i < open && fewest.length > 1; i++) {
      const candidates = DIGITS_OF[freeAt(blanks[i])];
      if (candidates.length <= fewest.length) {
        best = i;
        fewest = candidates;
      }
    }
    const cell = blanks[best];
    blanks[best] = blanks[open - 1];
    blanks[open - 1] = cell;
    for (const digit of random ? random.shuffle(fewest.slice()) : fewest) {
      digits[cell] = digit;
      toggle(cell, digit);
      if (fill(open - 1)) return true;
      toggle(cell, digit);
    }
    return false;
  };

  for (let cell = 0; cell < cells; cell++) {
    if (digits[cell] === 0) blanks[blankCount++] = cell;
    else if (freeAt(cell) & (1 << (digits[cell] - 1))) toggle(cell, digits[cell]);
    else return; // two givens break a rule
  }
  fill(blankCount);
}

function checkGrid({ size, cells }: SudokuShape, grid: ArrayLike<number>) {
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
