/** Random Sudoku solutions and proper puzzles. */

import { type Philox, UserError } from '@hrm-webgpu/core';
import type { SudokuPuzzle, SudokuShape } from './sudoku.ts';
import { countSolutions } from './sudoku-solutions.ts';

/** Solutions to start from before a number of blanks counts as out of reach. */
const DIG_ATTEMPTS = 1000;

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

/** The digits of a set of digits; bit d − 1 stands for digit d. */
const DIGITS_OF = Array.from({ length: 1 << 9 }, (_, set) =>
  [1, 2, 3, 4, 5, 6, 7, 8, 9].filter((digit) => set & (1 << (digit - 1))),
);

/**
 * A full grid. Each can come out; they are not exactly equally likely. Backtracking over the blank with the
 * fewest digits left, which are tried in random order.
 */
export function randomSolution({ size, cells, units }: SudokuShape, random: Philox): Uint8Array {
  const all = (1 << size) - 1;
  const solution = new Uint8Array(cells);
  const used = new Uint16Array(3 * size); // digits used in each unit
  const blanks = Uint8Array.from({ length: cells }, (_, cell) => cell);

  const freeAt = (cell: number) =>
    all & ~(used[units[cell * 3]] | used[units[cell * 3 + 1]] | used[units[cell * 3 + 2]]);
  const toggle = (cell: number, digit: number) => {
    for (let unit = 0; unit < 3; unit++) used[units[cell * 3 + unit]] ^= 1 << (digit - 1);
  };

  /** Fills blanks[0 … open − 1]. */
  const fill = (open: number): boolean => {
    if (open === 0) return true;
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
    for (const digit of random.shuffle(fewest.slice())) {
      solution[cell] = digit;
      toggle(cell, digit);
      if (fill(open - 1)) return true;
      toggle(cell, digit);
    }
    return false;
  };
  fill(cells);
  return solution;
}
