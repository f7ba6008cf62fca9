/** Which cells of an answer are wrong by the rules alone. */

import { MAZE } from '../data/maze/maze.ts';
import { rulesBroken, sudokuGrid, sudokuShape } from '../data/sudoku/sudoku.ts';
import { latinBroken } from '../data/sudoku/sudoku-check.ts';
import { type Grid, hasDigits, type Task } from '../tasks/tasks.ts';

/**
 * The cells, numbered row by row and ascending, that break a rule of the task: digits of a Sudoku or Latin square that stand twice in
 * a unit, and givens that are not kept; cells of a path that are walls in the maze. None where the task has no rule.
 *
 * @param grid rows, or tokens [seq_len]: an answer, or the puzzle itself while it is made
 * @param givens the puzzle, in either form
 */
export function brokenCells(task: Task, grid: Grid, givens: Grid): number[] {
  if (task === 'maze') {
    const maze = cellsOf(givens);
    return where(cellsOf(grid), (cell, i) => cell === MAZE.path && maze[i] === MAZE.wall);
  }
  if (!hasDigits(task)) return [];
  const [digits, given] = [digitsOf(grid), digitsOf(givens)];
  const size = Math.sqrt(digits.length);
  const clashing = new Set(
    task === 'sudoku' ? rulesBroken(sudokuShape(size), digits) : latinBroken(size, digits),
  );
  return where(digits, (digit, i) => clashing.has(i) || (given[i] !== 0 && digit !== given[i]));
}

function where(cells: Uint8Array, isBroken: (cell: number, index: number) => boolean): number[] {
  return [...cells.keys()].filter((i) => isBroken(cells[i], i));
}

const cellsOf = (grid: Grid) => Uint8Array.from(grid instanceof Int32Array ? grid : grid.flat());
const digitsOf = (grid: Grid) => (grid instanceof Int32Array ? sudokuGrid(grid) : cellsOf(grid));
