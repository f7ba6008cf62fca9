/** A person's puzzle in text: what it is, told by what it holds. */

import { UserError } from '@hrm-webgpu/core';
import { gridRows, parseGrid } from '../data/arc/arc.ts';
import { isTask, parseJsonFile } from '../data/arc/arc-files.ts';
import { MAZE } from '../data/maze/maze.ts';
import { SUDOKU_SIZES, type SudokuShape, sudokuShape } from '../data/sudoku/sudoku.ts';
import { parseSudokuGrid } from '../data/sudoku/sudoku-source.ts';
import { sudokusIn } from '../data/sudoku/sudoku-text.ts';
import { parseJson } from '../formats/json.ts';
import { quoted } from '../formats/quote.ts';
import { ARC_SEQ_LEN, type Task, usualSeqLen } from '../tasks/tasks.ts';

/** A puzzle as it was given, before a model says what its numbers mean. */
export interface PuzzleInput {
  /** What the text holds; undefined for a grid of numbers, which means what the model says. */
  task?: Task;
  grid: number[][];
  /** S, for models that do not know theirs. */
  seqLen(vocabSize: number): number;
  /** What there is to say about it. */
  title: string;
  /** The answer, where the text has it. */
  expected?: number[][];
}

export interface ParseOptions {
  /** What messages call the text, such as its file. Without it somebody typed it: a word that is no puzzle is then a wrong Sudoku. */
  name?: string;
  /** Which test input of an ARC task, from 1; default 1. */
  test?: number;
  /** What messages call {@link ParseOptions.test}, where it has another name for who chose it. */
  testName?: string;
  /** What can be done about a text of several puzzles, a sentence each. */
  advice?: { sudokus: string; tasks: string };
}

/** What messages call a text without a name. */
const UNNAMED = 'the puzzle';

/** The largest grids that a model could read have a tenth of it. */
const MAX_CHARACTERS = 2 ** 20;

/**
 * Reads one puzzle:
 * - a Sudoku of 16, 36 or 81 cells, on a line or as a grid, with strokes or commas, or as a JSON array of rows;
 * - a maze of `#`, spaces, one `S` and one `G`, as many rows as columns;
 * - an ARC task in JSON, of which a test input is the puzzle;
 * - another grid: rows of whole numbers with spaces or commas between them, or a JSON array of rows.
 *
 * @throws UserError saying what is wrong with it, and where
 */
export function parsePuzzle(text: string, options: ParseOptions = {}): PuzzleInput {
  const { name = UNNAMED, test, testName = 'test' } = options;
  const isArc = /^\s*(?:\{|\[\s*\{)/.test(text);
  if (isArc) return arcPuzzle(text, { ...options, name, testName });
  if (test !== undefined) {
    throw new UserError(`${testName} goes with an ARC task, and the puzzle is none: leave it out`);
  }
  if (text.length > MAX_CHARACTERS) {
    throw new UserError(`${name}: has ${text.length} characters, more than any puzzle`);
  }
  const numbers = numbersOf(text);
  if (numbers) return numbersPuzzle(numbers, name);
  const sudokus = sudokusOf(text);
  if (sudokus) return oneSudoku(sudokus, name, options.advice?.sudokus);
  if (/^\s*\[/.test(text)) {
    throw new UserError(`${name}: expected a grid in JSON, rows of whole numbers: [[5, 3, 0, ...], ...]`);
  }
  const lines = text.split(/\r?\n/);
  if (/[#SG]/.test(text)) return mazePuzzle(mazeRows(lines), name);
  const word = text.trim();
  const isTyped = options.name === undefined && /^[^\s,]+$/.test(word) && !WHOLE_NUMBER.test(word);
  if (isTyped) return sudokuPuzzle(word);
  return numbersPuzzle(lines.filter((line) => line.trim() !== '').map(wordsOf), name);
}

/** The Sudokus of a text, in any form of {@link sudokusIn} and of whichever size they are; undefined for any other text. */
function sudokusOf(text: string): { size: number; grids: Uint8Array[] } | undefined {
  for (const size of SUDOKU_SIZES) {
    const grids = wholeGrids(sudokuShape(size), text);
    if (grids && grids.length > 0) return { size, grids };
  }
  return undefined;
}

/** The Sudokus of one size; undefined where anything in the text is none. */
function wholeGrids(shape: SudokuShape, text: string): Uint8Array[] | undefined {
  const grids: Uint8Array[] = [];
  for (const found of sudokusIn(shape, text)) {
    const grid = 'cells' in found ? parseSudokuGrid(shape, found.cells) : found.problem;
    if (typeof grid === 'string') return undefined;
    grids.push(grid);
  }
  return grids;
}

/** Whether a text holds Sudokus and nothing else. */
export function isSudoku(text: string): boolean {
  return sudokusOf(text) !== undefined;
}

/**
 * A Sudoku in any form of {@link sudokusIn}.
 *
 * @param otherwise a sentence on what else the text could have been
 * @throws UserError for anything but one with 16, 36 or 81 cells
 */
export function sudokuPuzzle(text: string, otherwise?: string): PuzzleInput {
  const found = sudokusOf(text);
  if (found) return oneSudoku(found, UNNAMED);
  const size = Math.sqrt(text.length);
  if (SUDOKU_SIZES.includes(size)) {
    throw new UserError(`the Sudoku: ${parseSudokuGrid(sudokuShape(size), text)}`);
  }
  throw new UserError(
    withAdvice(`a Sudoku has 16, 36 or 81 characters, got ${text.length}: ${quoted(text)}`, otherwise),
  );
}

function withAdvice(message: string, advice: string | undefined): string {
  return advice === undefined ? message : `${message}. ${advice}`;
}

function oneSudoku(
  { size, grids }: { size: number; grids: Uint8Array[] },
  file: string,
  advice?: string,
): PuzzleInput {
  if (grids.length > 1) {
    throw new UserError(withAdvice(`${file}: holds ${grids.length} Sudokus, expected one`, advice));
  }
  const [givens] = grids;
  return {
    task: 'sudoku',
    grid: Array.from({ length: size }, (_, row) => [...givens.subarray(row * size, (row + 1) * size)]),
    seqLen: (vocabSize) => usualSeqLen(vocabSize) ?? givens.length,
    title: `${size}×${size} Sudoku`,
  };
}

/** Cells of a question as published. */
const MAZE_CELLS: Record<string, number> = { '#': MAZE.wall, ' ': MAZE.free, S: MAZE.start, G: MAZE.goal };

/** Editors cut spaces at the ends of lines: short lines end in free cells. */
function mazePuzzle(lines: string[], file: string): PuzzleInput {
  const size = longest(lines);
  if (lines.length !== size) {
    throw new UserError(
      `${file}: the maze has ${lines.length} rows of up to ${size} cells, expected a square one`,
    );
  }
  const grid = lines.map((line, row) =>
    Array.from(line.padEnd(size), (character, column) => {
      const cell = MAZE_CELLS[character];
      if (cell !== undefined) return cell;
      throw new UserError(
        `${file}: row ${row + 1}, column ${column + 1} of the maze is ${quoted(character)}, expected '#', a space, S or G`,
      );
    }),
  );
  for (const [name, cell] of [
    ['start S', MAZE.start],
    ['goal G', MAZE.goal],
  ] as const) {
    const count = grid.flat().filter((found) => found === cell).length;
    if (count !== 1) throw new UserError(`${file}: the maze has the ${name} ${count} times, expected once`);
  }
  return { task: 'maze', grid, seqLen: () => size * size, title: `${size}×${size} maze` };
}

const longest = (lines: readonly string[]) => lines.reduce((most, { length }) => Math.max(most, length), 0);

/** The lines from the first to the last that is drawn; where that is no square, rows of free cells alone count at the ends too. */
function mazeRows(lines: string[]): string[] {
  const between = (isRow: (line: string) => boolean) =>
    lines.slice(lines.findIndex(isRow), lines.findLastIndex(isRow) + 1);
  const isDrawn = (line: string) => line.trim() !== '';
  const drawn = between(isDrawn);
  const size = longest(drawn);
  return drawn.length === size ? drawn : between((line) => isDrawn(line) || line.length === size);
}

/**
 * The rows of a grid of numbers that means what the model says: a JSON array of rows, or digits with spaces or commas
 * between them in several lines; undefined for any other text. Digits that stand together are a Sudoku's.
 */
function numbersOf(text: string): unknown[][] | undefined {
  if (/^\s*\[\s*\[/.test(text)) return jsonRows(text);
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const isGrid = lines.length > 1 && lines.every((line) => /^\s*\d(?:(?:\s*,\s*|\s+)\d)*\s*$/.test(line));
  return isGrid ? lines.map(wordsOf) : undefined;
}

function jsonRows(text: string): unknown[][] | undefined {
  try {
    const rows: unknown[] = parseJson(text);
    return rows.every((row) => Array.isArray(row) && row.every(Number.isInteger))
      ? (rows as unknown[][])
      : undefined;
  } catch {
    return undefined;
  }
}

const WHOLE_NUMBER = /^\d{1,9}$/;

const wordsOf = (line: string) => line.trim().split(/[\s,]+/);

/** @param rows whole numbers, or what stands in their place */
function numbersPuzzle(rows: unknown[][], file: string): PuzzleInput {
  if (rows.length === 0) throw new UserError(`${file}: is empty, expected a puzzle`);
  const grid = rows.map((row, y) =>
    row.map((word, x) => {
      if (WHOLE_NUMBER.test(String(word))) return Number(word);
      throw new UserError(
        `${file}: row ${y + 1}, column ${x + 1} is ${quoted(String(word))}, expected a whole number (or a Sudoku, a maze ` +
          'of # S G and spaces, or an ARC task in JSON)',
      );
    }),
  );
  const count = grid.flat().length;
  return {
    grid,
    seqLen: (vocabSize) => usualSeqLen(vocabSize) ?? count,
    title: `${grid.length}×${grid[0].length} grid of numbers`,
  };
}

/** Unlike a data set's, a task to be solved may lack the outputs of its tests. */
function arcPuzzle(
  text: string,
  { name: file, test = 1, testName, advice }: ParseOptions & { name: string },
): PuzzleInput {
  const json = parseJsonFile(text, file) as { train?: unknown; test?: unknown };
  if (Array.isArray(json) || !isTask(json)) {
    const found = Array.isArray(json) ? 'pairs alone' : 'several ARC tasks, or none';
    const message = `${file}: holds ${found}, expected one task, {"train": [...], "test": [...]}`;
    throw new UserError(withAdvice(message, advice?.tasks));
  }
  if (!Array.isArray(json.test) || json.test.length === 0) {
    throw new UserError(
      `${file}: expected an ARC task, {"train": [...], "test": [{"input": [[0, ...], ...]}, ...]}`,
    );
  }
  const pair: { input?: unknown; output?: unknown } | null | undefined = json.test[test - 1];
  if (!pair) throw new UserError(`${testName} ${test}: ${file} has ${json.test.length} test inputs`);
  const place = `${file}: test[${test - 1}]`;
  const read = (grid: unknown, name: string) => gridRows(parseGrid(grid, `${place}.${name}`));
  const pairs = Array.isArray(json.train) ? json.train.length : 0;
  return {
    task: 'arc',
    grid: read(pair.input, 'input'),
    seqLen: () => ARC_SEQ_LEN,
    title: `ARC task with ${pairs} training pairs, test input ${test} of ${json.test.length}`,
    ...(pair.output === undefined ? {} : { expected: read(pair.output, 'output') }),
  };
}

/**
 * The puzzle as a checkpoint means it that says what its grids are: digits may be a Latin square's, or values of own data.
 *
 * @param declared what the checkpoint says
 */
export function meantBy(declared: Task | undefined, puzzle: PuzzleInput): PuzzleInput {
  if (puzzle.task !== 'sudoku' || declared === undefined) return puzzle;
  const size = puzzle.grid.length;
  if (declared === 'latin') return { ...puzzle, task: 'latin', title: `${size}×${size} Latin square` };
  if (declared !== 'none') return puzzle;
  // A value's token is one more in own data.
  const grid = puzzle.grid.map((row) => row.map((value) => value + 1));
  return { ...puzzle, task: 'none', grid, title: `${size}×${size} grid, as tokens: values + 1` };
}
