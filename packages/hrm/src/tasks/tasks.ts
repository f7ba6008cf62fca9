/** What a model's tokens mean: grids of numbers become tokens and tokens become grids. */

import { UserError } from '@hrm-webgpu/core';
import { ARC_TOKENS, cropGrid, drawGrid, gridRows, parseGrid } from '../data/arc/arc.ts';
import { TASKS, type Task } from '../data/dataset/task-names.ts';
import { MAZE_VOCABULARY } from '../data/maze/maze.ts';
import { BLANK_TOKEN } from '../data/sudoku/blank-token.ts';
import { oneLine } from '../formats/quote.ts';

export { TASKS, type Task };

/** Rows of numbers, which mean what the task says, or the model's tokens [seq_len] themselves. */
export type Grid = readonly (readonly number[])[] | Int32Array;

/** What decides how a model's tokens are read. */
export interface TokenSizes {
  vocab_size: number;
  seq_len: number;
}

/** The sequence length of ARC. */
export const ARC_SEQ_LEN = ARC_TOKENS.seq_len;

/** The task that vocabulary and sequence length suggest; `none` where they suggest none. Nothing but data says `latin`. */
export function taskOf(sizes: TokenSizes): Task {
  return tasksThatFit(sizes).find((task) => task !== 'latin') as Task;
}

/** The tasks whose grids a model can read, the likeliest first. */
export function tasksThatFit(sizes: TokenSizes): Task[] {
  return TASKS.filter((task) => fits(task, sizes));
}

/** Whether a task's grids can be the sequences of a model. */
function fits(task: Task, { vocab_size, seq_len }: TokenSizes): boolean {
  const side = Math.sqrt(seq_len);
  if (task === 'sudoku') return [4, 6, 9].includes(side) && vocab_size === side + 2;
  if (task === 'latin') return Number.isInteger(side) && vocab_size === side + 2;
  if (task === 'maze') return Number.isInteger(side) && vocab_size === MAZE_VOCABULARY;
  if (task === 'arc') return vocab_size === ARC_TOKENS.vocab_size && seq_len === ARC_TOKENS.seq_len;
  return true;
}

/** @throws UserError when the model does not read grids of the task */
export function checkTask(task: Task, sizes: TokenSizes): void {
  if (!TASKS.includes(task))
    throw new UserError(`there is no task '${oneLine(task)}', expected ${TASKS.join(', ')}`);
  if (fits(task, sizes)) return;
  const expected = {
    sudoku: 'n·n tokens of n + 2 kinds, n = 4, 6 or 9',
    latin: 'n·n tokens of n + 2 kinds',
    maze: `n·n tokens of ${MAZE_VOCABULARY} kinds`,
    arc: `${ARC_TOKENS.seq_len} tokens of ${ARC_TOKENS.vocab_size} kinds`,
    none: '',
  }[task];
  throw new UserError(`${readsTokens(sizes)}; the task '${task}' has ${expected}`);
}

/** Whether tokens are blanks and digits. */
export function hasDigits(task: Task): boolean {
  return task === 'sudoku' || task === 'latin';
}

/** For messages. */
export function readsTokens({ vocab_size, seq_len }: TokenSizes): string {
  return `this model reads ${seq_len} tokens of ${vocab_size} kinds`;
}

/** The sequence length that goes with a vocabulary in the published datasets, where only one does. */
export function usualSeqLen(vocabSize: number): number | undefined {
  if (vocabSize === ARC_TOKENS.vocab_size) return ARC_TOKENS.seq_len;
  return [6, 9].includes(vocabSize - 2) ? (vocabSize - 2) ** 2 : undefined;
}

/** The sequence length of a task's grids with a vocabulary, where the task tells it. */
export function seqLenOf(task: Task, vocabSize: number): number | undefined {
  if (task === 'arc') return ARC_TOKENS.seq_len;
  return hasDigits(task) ? (vocabSize - 2) ** 2 : undefined;
}

/**
 * The tokens [seq_len] of a grid.
 *
 * @param place put in front of messages
 * @throws UserError naming the first cell that is wrong, or the size that is expected
 */
export function encodeGrid(task: Task, sizes: TokenSizes, grid: Grid, place: string): Int32Array {
  if (grid instanceof Int32Array) return checkTokens(sizes, grid, place);
  if (task === 'arc') {
    const canvas = new Uint8Array(ARC_TOKENS.seq_len);
    drawGrid(parseGrid(grid, place), canvas);
    return Int32Array.from(canvas);
  }
  const { vocab_size, seq_len } = sizes;
  checkRows(task, seq_len, grid, place);
  const blank = hasDigits(task) ? BLANK_TOKEN : 0;
  const [least, most] = [task === 'maze' ? 1 : 0, vocab_size - 1 - blank];
  grid.forEach((row, r) => {
    row.forEach((cell, c) => {
      if (Number.isInteger(cell) && cell >= least && cell <= most) return;
      throw new UserError(
        `${place}: row ${r + 1}, column ${c + 1} is ${cell}, expected a whole number from ${least} to ${most}`,
      );
    });
  });
  return Int32Array.from(grid.flat(), (cell) => cell + blank);
}

/**
 * The grid of an answer.
 *
 * @param asked the grid that was asked: an answer in plain tokens has as many columns
 */
export function decodeGrid(task: Task, tokens: Int32Array, asked: Grid): number[][] {
  if (task === 'arc') return gridRows(cropGrid(tokens));
  const columns = columnsOf(task, tokens.length, asked);
  const cells = hasDigits(task) ? [...tokens].map((token) => Math.max(token - BLANK_TOKEN, 0)) : [...tokens];
  return Array.from({ length: tokens.length / columns }, (_, row) =>
    cells.slice(row * columns, (row + 1) * columns),
  );
}

/** Columns of a grid: those of a square, of the rows that were given, or of a single row. */
function columnsOf(task: Task, length: number, asked: Grid): number {
  if (task === 'none' && !(asked instanceof Int32Array)) return asked[0].length;
  const side = Math.sqrt(length);
  return Number.isInteger(side) ? side : length;
}

function checkTokens(sizes: TokenSizes, tokens: Int32Array, place: string): Int32Array {
  if (tokens.length !== sizes.seq_len)
    throw new UserError(`${place} has ${tokens.length} tokens; ${readsTokens(sizes)}`);
  const wrong = tokens.findIndex((token) => token < 0 || token >= sizes.vocab_size);
  if (wrong < 0) return tokens;
  throw new UserError(
    `${place}: token ${wrong} is ${tokens[wrong]}, expected 0 to ${sizes.vocab_size - 1}: ${readsTokens(sizes)}`,
  );
}

function checkRows(task: Task, seqLen: number, grid: readonly (readonly number[])[], place: string): void {
  if (!Array.isArray(grid) || !grid.every(Array.isArray))
    throw new UserError(`${place}: expected rows of numbers, or an Int32Array of tokens`);
  const columns = grid[0]?.length ?? 0;
  const uneven = grid.findIndex((row) => row.length !== columns);
  if (uneven >= 0) {
    throw new UserError(
      `${place}: row ${uneven + 1} has ${grid[uneven].length} cells, expected ${columns} as in row 1`,
    );
  }
  const side = Math.sqrt(seqLen);
  const fitting =
    task === 'none' ? grid.length * columns === seqLen : grid.length === side && columns === side;
  if (fitting) return;
  const expected = task === 'none' ? `${seqLen} cells in all` : `${side} rows of ${side}`;
  throw new UserError(`${place} has ${grid.length} rows of ${columns} cells; this model reads ${expected}`);
}
