/** Puzzles as the text that {@link parsePuzzle} reads. */

import { MAZE } from '../data/maze/maze.ts';
import type { Task } from '../tasks/tasks.ts';

type Rows = readonly (readonly number[])[];

/** Cells of a maze; all others are free, those of a path too, which is an answer's and no puzzle's. */
const MAZE_TEXT: Record<number, string> = { [MAZE.wall]: '#', [MAZE.start]: 'S', [MAZE.goal]: 'G' };

/**
 * A puzzle's grid as text from which {@link parsePuzzle} reads the same grid: a Sudoku as one line of digits with `.` for blanks,
 * a maze as rows of `#`, spaces, `S` and `G`, an ARC grid as a task with one test input, any other as rows in JSON.
 */
export function puzzleText(task: Task, grid: Rows): string {
  if (task === 'sudoku') return grid.flat().join('').replaceAll('0', '.');
  if (task === 'maze')
    return grid.map((row) => row.map((cell) => MAZE_TEXT[cell] ?? ' ').join('')).join('\n');
  return JSON.stringify(task === 'arc' ? { train: [], test: [{ input: grid }] } : grid);
}
