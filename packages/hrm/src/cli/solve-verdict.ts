/** Whether an answer is right, where a rule says so. */

import { MazeDistances } from '../data/maze.ts';
import { checkMaze } from '../data/maze-check.ts';
import { sudokuShape } from '../data/sudoku.ts';
import { sudokuFaults } from '../data/sudoku-check.ts';
import type { Task } from '../tasks.ts';

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
  if (task === 'sudoku') return sudokuVerdict(side, input, prediction);
  if (task === 'maze') return mazeVerdict(side, input, prediction);
  if (expected === undefined) return undefined;
  return JSON.stringify(answer) === JSON.stringify(expected)
    ? { valid: true, text: 'right: it is the output that the task gives' }
    : { valid: false, text: 'wrong: the task gives another output' };
}

function sudokuVerdict(size: number, input: ArrayLike<number>, prediction: ArrayLike<number>): Verdict {
  const { brokenRules, changedGivens, blanks } = sudokuFaults(sudokuShape(size), input, prediction);
  const faults = [
    ...(brokenRules ? ['a digit stands twice in a row, column or box'] : []),
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
