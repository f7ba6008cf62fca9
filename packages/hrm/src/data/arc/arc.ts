/**
 * ARC tasks: pairs of grids of ten colours, and how HRM sees them: a grid on a canvas of 30 × 30 tokens.
 *
 * Tasks: https://github.com/fchollet/ARC-AGI. Tokens: 0 is padding, 1 marks where a grid ends, colour c is
 * c + 2.
 */

import { UserError } from '@hrm-webgpu/core';
import { quoted } from '../../formats/quote.ts';

/** Rows and columns of the canvas, and the most that a grid may have. */
export const CANVAS = 30;

/** What the tokens of the canvas mean; keys as in `dataset.json`. */
export const ARC_TOKENS = { seq_len: CANVAS * CANVAS, vocab_size: 12, pad_id: 0, ignore_label_id: 0 };

const END = 1;
const FIRST_COLOUR = 2;
/** How many there are; 0 is black, the background. */
export const COLOURS = 10;

const ASCII = new TextDecoder();

/** Colours 0 to 9, [rows, columns]. */
export interface Grid {
  rows: number;
  columns: number;
  cells: Uint8Array;
}

export interface ArcPair {
  input: Grid;
  /** {@link UNKNOWN} where it is not known, as in the tests of tasks that are yet to be solved. */
  output: Grid;
}

/** No grid at all. On a canvas it is padding, which as a label does not count. */
export const UNKNOWN: Grid = { rows: 0, columns: 0, cells: new Uint8Array(0) };

export interface ArcTask {
  name: string;
  /** The pairs that show the rule. */
  train: ArcPair[];
  /** The pairs whose output is asked for. */
  test: ArcPair[];
}

/**
 * Draws a grid on a canvas that is otherwise padding: colours from (`top`, `left`) on, end markers along the row
 * below and the column right of the grid, as far as these are on the canvas, but not at their corner.
 *
 * @param canvas [seq_len], overwritten
 */
export function drawGrid(grid: Grid, canvas: Uint8Array, top = 0, left = 0): void {
  const { rows, columns, cells } = grid;
  canvas.fill(ARC_TOKENS.pad_id);
  for (let row = 0; row < rows; row++) {
    const to = (top + row) * CANVAS + left;
    for (let column = 0; column < columns; column++) {
      canvas[to + column] = FIRST_COLOUR + cells[row * columns + column];
    }
    if (left + columns < CANVAS) canvas[to + columns] = END;
  }
  if (top + rows < CANVAS) {
    const below = (top + rows) * CANVAS + left;
    canvas.fill(END, below, below + columns);
  }
}

/**
 * The largest rectangle in the canvas's top left corner that holds nothing but colours; of several, the one
 * with the fewest rows. Where not even the corner is a colour, it has no rows and no columns.
 *
 * @param canvas [seq_len] tokens, of a model or of a dataset (−100 for labels that do not count)
 */
export function cropGrid(canvas: ArrayLike<number>): Grid {
  let rows = 0;
  let columns = 0;
  let width = CANVAS;
  for (let row = 0; row < CANVAS && width > 0; row++) {
    let column = 0;
    while (column < width && isColour(canvas[row * CANVAS + column])) column++;
    width = column;
    if ((row + 1) * width > rows * columns) {
      rows = row + 1;
      columns = width;
    }
  }
  const cells = new Uint8Array(rows * columns);
  for (let i = 0; i < cells.length; i++) {
    cells[i] = canvas[Math.floor(i / columns) * CANVAS + (i % columns)] - FIRST_COLOUR;
  }
  return { rows, columns, cells };
}

function isColour(token: number): boolean {
  return token >= FIRST_COLOUR && token < FIRST_COLOUR + COLOURS;
}

/** A text that two grids share if and only if they are equal. */
export function gridKey({ rows, columns, cells }: Grid): string {
  // Bytes below 128 are text as they are; decoding is a hundred times faster than String.fromCharCode(...cells).
  return String.fromCharCode(rows, columns) + ASCII.decode(cells);
}

/** The grid as rows of colours, as task files have them. */
export function gridRows({ rows, columns, cells }: Grid): number[][] {
  return Array.from({ length: rows }, (_, row) => [...cells.subarray(row * columns, (row + 1) * columns)]);
}

/**
 * Parses a task: `{"train": [{"input": [[0, …], …], "output": …}, …], "test": […]}`, with an optional `"name"`. Tests
 * may lack their output.
 *
 * @param file what to call it in messages
 * @param defaultName the task's name where it gives none
 * @throws UserError naming the place of what is wrong, as in `task.json: train[0].input[2]`
 */
export function parseTask(json: unknown, file: string, defaultName: string): ArcTask {
  const { name = defaultName, train, test } = asRecord(json, `${file}:`, 'an object with "train" and "test"');
  if (typeof name !== 'string' || name === '') {
    throw unexpected(`${file}: name`, name, 'a text that is not empty');
  }
  const shown = parseTrainPairs(train, `${file}: train`);
  return { name, train: shown, test: parsePairs(test, `${file}: test`) };
}

/** @throws UserError as {@link parseTask}, and for a pair without output */
export function parseTrainPairs(value: unknown, place: string): ArcPair[] {
  const pairs = parsePairs(value, place);
  const withoutOutput = pairs.findIndex(({ output }) => output === UNKNOWN);
  if (withoutOutput >= 0) throw missingOutput(`${place}[${withoutOutput}]`);
  return pairs;
}

/** @param place the pair's */
export function missingOutput(place: string): UserError {
  return unexpected(`${place}.output`, undefined, `a list of 1 to ${CANVAS} rows`);
}

function parsePairs(value: unknown, place: string): ArcPair[] {
  if (!Array.isArray(value) || value.length === 0) {
    throw unexpected(place, value, 'a list of one or more pairs {"input": …, "output": …}');
  }
  return value.map((pair, index) => {
    const at = `${place}[${index}]`;
    const { input, output } = asRecord(pair, at, 'an object with "input" and "output"');
    return {
      input: parseGrid(input, `${at}.input`),
      output: output === undefined ? UNKNOWN : parseGrid(output, `${at}.output`),
    };
  });
}

/**
 * Parses rows of colours.
 *
 * @param place put in front of messages
 * @throws UserError for anything but 1 to 30 rows of equally many, 1 to 30, colours
 */
export function parseGrid(value: unknown, place: string): Grid {
  const size = `1 to ${CANVAS}`;
  if (!Array.isArray(value)) throw unexpected(place, value, `a list of ${size} rows`);
  const rows = value.length;
  if (rows < 1 || rows > CANVAS) throw new UserError(`${place} has ${rows} rows, expected ${size}.`);
  let columns = 0;
  const cells: number[] = [];
  value.forEach((row, index) => {
    const at = `${place}[${index}]`;
    if (!Array.isArray(row)) throw unexpected(at, row, `a row: a list of ${size} colours`);
    if (row.length < 1 || row.length > CANVAS) {
      throw new UserError(`${at} has ${row.length} cells, expected ${size}.`);
    }
    if (index === 0) columns = row.length;
    if (row.length !== columns) {
      throw new UserError(`${at} has ${row.length} cells, expected ${columns} as in row 0.`);
    }
    const wrong = row.findIndex((colour) => !Number.isInteger(colour) || colour < 0 || colour >= COLOURS);
    if (wrong >= 0) throw unexpected(`${at}[${wrong}]`, row[wrong], `a colour, 0 to ${COLOURS - 1}`);
    cells.push(...row);
  });
  return { rows, columns, cells: Uint8Array.from(cells) };
}

/** @throws UserError for anything but an object */
export function asRecord(value: unknown, place: string, expected: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw unexpected(place, value, expected);
}

/** What to say of a value that is missing or of another kind. */
export function unexpected(place: string, value: unknown, expected: string): UserError {
  if (value === undefined) return new UserError(`${place} is missing, expected ${expected}.`);
  return new UserError(`${place} is ${shown(value)}, expected ${expected}.`);
}

function shown(value: unknown): string {
  try {
    return quoted(JSON.stringify(value));
  } catch {
    return 'nested too deeply'; // JSON.parse reads what JSON.stringify has no stack for
  }
}
