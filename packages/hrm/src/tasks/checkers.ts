/** Judges: whether an answer is right can be proven from the puzzle alone, without labels and without solving it. */

import { checkMaze } from '../data/maze/maze-check.ts';
import { MazeDistances } from '../data/maze/maze-distances.ts';
import { sudokuShape } from '../data/sudoku/sudoku.ts';
import { isFaultless, latinFaults, sudokuFaults } from '../data/sudoku/sudoku-check.ts';
import type { Task, TokenSizes } from './tasks.ts';

/** Whether an answer is proven right; both are tokens [seq_len]. */
export type Checker = (input: ArrayLike<number>, answer: ArrayLike<number>) => boolean;

/**
 * The checker of a task; undefined where nothing but labels tells.
 * - `sudoku`, `latin`: all givens kept, every rule;
 * - `maze`: the maze itself, and in it a shortest path from S to G through no wall.
 */
export function checkerOf(task: Task, { seq_len }: Pick<TokenSizes, 'seq_len'>): Checker | undefined {
  const side = Math.sqrt(seq_len);
  if (task === 'sudoku') {
    const shape = sudokuShape(side);
    return (input, answer) => isFaultless(sudokuFaults(shape, input, answer));
  }
  if (task === 'latin') return (input, answer) => isFaultless(latinFaults(side, input, answer));
  if (task !== 'maze') return undefined;
  const distances = new MazeDistances(side);
  return (input, answer) => {
    const { optimal, changedMaze } = checkMaze(input, answer, distances);
    return optimal && !changedMaze;
  };
}
