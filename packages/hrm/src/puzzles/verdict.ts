/** Whether a puzzle can be solved and an answer is right, where a rule says so. */

import { UserError } from '@hrm-webgpu/core';
import { MAZE } from '../data/maze/maze.ts';
import { checkMaze } from '../data/maze/maze-check.ts';
import { MazeDistances, UNREACHED } from '../data/maze/maze-distances.ts';
import { rulesBroken, sudokuGrid, sudokuShape } from '../data/sudoku/sudoku.ts';
import { type DigitFaults, latinBroken, latinFaults, sudokuFaults } from '../data/sudoku/sudoku-check.ts';
import { onlySolution } from '../data/sudoku/sudoku-solutions.ts';
import { hasDigits, type Task } from '../tasks/tasks.ts';

/**
 * What to know of a puzzle before a model thinks about it; undefined where there is nothing to say.
 *
 * @param input tokens [seq_len]
 * @throws UserError for a puzzle without a solution
 */
export function prospectOf(task: Task, input: ArrayLike<number>): string | undefined {
  const side = Math.sqrt(input.length);
  if (task === 'maze') checkReachable(side, Uint8Array.from(input));
  if (hasDigits(task)) checkGivens(task, side, input);
  return task === 'sudoku' ? sudokuProspect(side, input) : undefined;
}

/** Names the first given that is there twice. */
function checkGivens(task: Task, size: number, input: ArrayLike<number>): void {
  const broken =
    task === 'sudoku'
      ? rulesBroken(sudokuShape(size), sudokuGrid(input))
      : latinBroken(size, sudokuGrid(input));
  if (broken.length === 0) return;
  const [row, column] = [Math.floor(broken[0] / size) + 1, (broken[0] % size) + 1];
  throw new UserError(`the givens break the rules at row ${row}, column ${column}`);
}

function sudokuProspect(size: number, input: ArrayLike<number>): string | undefined {
  const solution = onlySolution(sudokuShape(size), sudokuGrid(input));
  if (solution === 'none') {
    throw new UserError(
      'the Sudoku has no solution: no digits in its blanks keep the rules. Check the givens.',
    );
  }
  if (solution === 'several') {
    return 'the Sudoku has more than one solution: an answer that keeps the rules is valid';
  }
  return solution === 'unknown'
    ? 'not proven that the Sudoku has one solution: that takes too long'
    : undefined;
}

function checkReachable(size: number, maze: Uint8Array): void {
  const [start, goal] = [maze.indexOf(MAZE.start), maze.indexOf(MAZE.goal)];
  // A grid of numbers may have neither, and mean something else.
  if (start < 0 || goal < 0) return;
  const distances = new MazeDistances(size);
  distances.search(maze, start);
  if (distances.distance[goal] !== UNREACHED) return;
  throw new UserError('the maze has no solution: walls part S from G. Check the walls.');
}

export interface Verdict {
  valid: boolean;
  text: string;
}

/** A puzzle and its answer, as tokens [seq_len] and as grids. */
export interface Answered {
  task: Task;
  input: ArrayLike<number>;
  prediction: ArrayLike<number>;
  answer: number[][];
  /** The right answer, where it is known. */
  expected?: number[][];
}

/** Undefined where nothing tells. */
export function verdictOn({ task, input, prediction, answer, expected }: Answered): Verdict | undefined {
  const side = Math.sqrt(input.length);
  if (task === 'sudoku')
    return digitsVerdict(sudokuFaults(sudokuShape(side), input, prediction), 'row, column or box');
  if (task === 'latin') return digitsVerdict(latinFaults(side, input, prediction), 'row or column');
  if (task === 'maze') return mazeVerdict(side, input, prediction);
  if (expected === undefined) return undefined;
  return JSON.stringify(answer) === JSON.stringify(expected)
    ? { valid: true, text: 'right: it is the output that the task gives' }
    : { valid: false, text: 'wrong: the task gives another output' };
}

function digitsVerdict({ brokenRules, changedGivens, blanks }: DigitFaults, units: string): Verdict {
  const faults = [
    ...(brokenRules ? [`a digit stands twice in a ${units}`] : []),
    ...(changedGivens ? ['a given is not kept'] : []),
    ...(blanks ? ['a cell is blank'] : []),
  ];
  if (faults.length > 0) return { valid: false, text: `not solved: ${faults.join('; ')}` };
  return { valid: true, text: 'solved: every rule holds and every given is kept' };
}

function mazeVerdict(size: number, input: ArrayLike<number>, prediction: ArrayLike<number>): Verdict {
  const { valid, optimal, throughWalls, changedMaze } = checkMaze(input, prediction, new MazeDistances(size));
  const redrawn = changedMaze ? '; the answer shows other cells than the maze' : '';
  if (!valid) {
    const fault = throughWalls ? 'goes through walls' : 'does not lead from S to G';
    return { valid, text: `not solved: the path ${fault}${redrawn}` };
  }
  const length = optimal ? 'a shortest path' : 'a path, not a shortest one,';
  return { valid, text: `solved: ${length} leads from S to G${redrawn}` };
}
