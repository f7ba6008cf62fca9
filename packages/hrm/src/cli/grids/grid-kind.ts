/** What the tokens of a dataset look like to people: Sudoku digits, mazes, ARC colours, or plain numbers. */

import { UserError } from '@hrm-webgpu/core';
import { MAZE } from '../../data/maze/maze.ts';
import type { Task } from '../../tasks/tasks.ts';

export interface GridKind {
  name: Task;
  rows: number;
  columns: number;
  /** A cell in text; all of a grid are padded to the same width. */
  text(token: number): string;
  /** A cell's colour, red-green-blue; none for kinds that are text. */
  colour?(token: number): Colour;
}

export type Colour = readonly [red: number, green: number, blue: number];

/** Cells as characters, in the order of their tokens. */
const MAZE_TEXT = '·# SGo';
const MAZE_COLOURS: Record<number, Colour> = {
  [MAZE.wall]: [60, 60, 70],
  [MAZE.free]: [240, 240, 235],
  [MAZE.start]: [40, 160, 70],
  [MAZE.goal]: [215, 50, 50],
  [MAZE.path]: [245, 180, 60],
};

/** Padding, the end marker, and the ten colours as on arcprize.org. */
const ARC_TEXT = ' |0123456789';
const ARC_COLOURS: Colour[] = [
  [40, 44, 52],
  [90, 96, 110],
  [0, 0, 0],
  [0, 116, 217],
  [255, 65, 54],
  [46, 204, 64],
  [255, 220, 0],
  [170, 170, 170],
  [240, 18, 190],
  [255, 133, 27],
  [127, 219, 255],
  [135, 12, 37],
];
const UNKNOWN: Colour = [255, 0, 255];

/**
 * How to draw grids of `seqLen` tokens of a task.
 *
 * @param columns by default those of a square, or one row if there is none
 * @throws UserError for columns that do not divide the tokens
 */
export function gridKind(task: Task, seqLen: number, columns?: number): GridKind {
  const side = Math.sqrt(seqLen);
  const width = columns ?? (Number.isInteger(side) ? side : seqLen);
  if (seqLen % width !== 0) {
    throw new UserError(`--columns ${width}: does not divide the ${seqLen} tokens of an example`);
  }
  return { name: task, rows: seqLen / width, columns: width, ...LOOKS[task] };
}

/** A pair of grids without the rows below and the columns right that are padding in both. */
export function cropped(
  kind: GridKind,
  padId: number,
  pair: { input: ArrayLike<number>; label: ArrayLike<number> },
) {
  if (kind.name === 'sudoku') return { ...pair, kind };
  let rows = 1;
  let columns = 1;
  for (const tokens of [pair.input, pair.label]) {
    for (let cell = 0; cell < tokens.length; cell++) {
      if (tokens[cell] === padId) continue;
      rows = Math.max(rows, Math.floor(cell / kind.columns) + 1);
      columns = Math.max(columns, (cell % kind.columns) + 1);
    }
  }
  const crop = (tokens: ArrayLike<number>) =>
    Array.from(
      { length: rows * columns },
      (_, i) => tokens[Math.floor(i / columns) * kind.columns + (i % columns)],
    );
  return { input: crop(pair.input), label: crop(pair.label), kind: { ...kind, rows, columns } };
}

const digit = (token: number) => (token <= 1 ? '·' : String(token - 1));

const LOOKS: Record<Task, Pick<GridKind, 'text' | 'colour'>> = {
  sudoku: { text: digit },
  latin: { text: digit },
  maze: { text: (token) => MAZE_TEXT[token] ?? '?', colour: (token) => MAZE_COLOURS[token] ?? UNKNOWN },
  arc: { text: (token) => ARC_TEXT[token] ?? '?', colour: (token) => ARC_COLOURS[token] ?? UNKNOWN },
  none: { text: (token) => (token === 0 ? '·' : String(token)) },
};
