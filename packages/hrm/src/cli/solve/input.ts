/** The puzzle of `hrm solve`: a Sudoku string or a text file, told apart by what they hold. */

import { existsSync } from 'node:fs';
import { UserError } from '@hrm-webgpu/core';
import { gridRows, parseGrid } from '../../data/arc/arc.ts';
import { MAZE } from '../../data/maze/maze.ts';
import { rulesBroken, sudokuShape } from '../../data/sudoku/sudoku.ts';
import { readTextFile } from '../../formats/files/file-source.node.ts';
import { quoted } from '../../formats/quote.ts';
import { ARC_SEQ_LEN, type Task, usualSeqLen } from '../../tasks/tasks.ts';

export interface PuzzleInput {
  /** What the file holds; undefined for a grid of numbers, which means what the model says. */
  task?: Task;
  grid: number[][];
  /** S, for models that do not know theirs. */
  seqLen(vocabSize: number): number;
  /** What there is to say about it. */
  title: string;
  /** The answer, where the file has it. */
  expected?: number[][];
}

/**
 * Reads the puzzle argument: the path of a text file, or else a Sudoku.
 *
 * @param test which test input of an ARC task, from 1
 * @throws UserError saying what is wrong with it, and where
 */
export async function readPuzzle(argument: string, test: number | undefined): Promise<PuzzleInput> {
  const isPath = existsSync(argument) || /[\\/]|\.[a-z]+$/i.test(argument);
  const text = isPath ? await readTextFile(argument) : undefined;
  const isTask = text?.trimStart().startsWith('{');
  if (test !== undefined && !isTask) {
    throw new UserError('--test goes with an ARC task, and the puzzle is none: leave it out');
  }
  if (text === undefined) return sudokuPuzzle(argument);
  if (isTask) return arcPuzzle(text, argument, test ?? 1);
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '' || /[#SG]/.test(text));
  if (/[#SG]/.test(text)) return mazePuzzle(withoutEmptyEnds(lines), argument);
  const cells = lines.map((line) => line.trim()).join('');
  const isSudoku = /^[\d.]+$/.test(cells) && [1, Math.sqrt(cells.length)].includes(lines.length);
  return isSudoku && cells.length > lines.length ? sudokuPuzzle(cells) : numbersPuzzle(lines, argument);
}

/**
 * A Sudoku row by row.
 * @throws UserError for anything but 16, 36 or 81 digits, dots and zeros, and for givens that break the rules
 */
export function sudokuPuzzle(text: string): PuzzleInput {
  const size = Math.sqrt(text.length);
  if (![4, 6, 9].includes(size)) {
    throw new UserError(
      `a Sudoku has 16, 36 or 81 characters, got ${text.length}: ${quoted(text)}. (There is no file of this name either.)`,
    );
  }
  const givens = Array.from(text, (character, i) => {
    const digit = character === '.' ? 0 : Number(character);
    if (Number.isInteger(digit) && digit >= 0 && digit <= size && character.trim() !== '') return digit;
    throw new UserError(
      `character ${i + 1} of the Sudoku is '${character}', expected '.', 0 or a digit up to ${size}`,
    );
  });
  const [broken] = rulesBroken(sudokuShape(size), givens);
  if (broken !== undefined) {
    const [row, column] = [Math.floor(broken / size) + 1, (broken % size) + 1];
    throw new UserError(`the givens break the rules at row ${row}, column ${column}`);
  }
  const grid = Array.from({ length: size }, (_, row) => givens.slice(row * size, (row + 1) * size));
  return {
    task: 'sudoku',
    grid,
    seqLen: (vocabSize) => usualSeqLen(vocabSize) ?? text.length,
    title: `${size}×${size} Sudoku`,
  };
}

/** Cells of a question as published. */
const MAZE_CELLS: Record<string, number> = { '#': MAZE.wall, ' ': MAZE.free, S: MAZE.start, G: MAZE.goal };

/** Editors cut spaces at the ends of lines: short lines end in free cells. */
function mazePuzzle(lines: string[], file: string): PuzzleInput {
  const size = Math.max(...lines.map(({ length }) => length));
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

function withoutEmptyEnds(lines: string[]): string[] {
  const drawn = (line: string) => line.trim() !== '';
  return lines.slice(lines.findIndex(drawn), lines.findLastIndex(drawn) + 1);
}

/** Whole numbers with spaces or commas between them. */
function numbersPuzzle(lines: string[], file: string): PuzzleInput {
  if (lines.length === 0) throw new UserError(`${file}: is empty, expected a puzzle`);
  const grid = lines.map((line, row) =>
    line
      .trim()
      .split(/[\s,]+/)
      .map((word, column) => {
        if (/^\d{1,9}$/.test(word)) return Number(word);
        throw new UserError(
          `${file}: row ${row + 1}, column ${column + 1} is ${quoted(word)}, expected a whole number (or a Sudoku, a maze ` +
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
function arcPuzzle(text: string, file: string, test: number): PuzzleInput {
  let json: { train?: unknown; test?: unknown };
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new UserError(`${file}: is not valid JSON (${(cause as Error).message}).`, { cause });
  }
  if (!Array.isArray(json.test) || json.test.length === 0) {
    throw new UserError(
      `${file}: expected an ARC task, {"train": [...], "test": [{"input": [[0, ...], ...]}, ...]}`,
    );
  }
  const pair: { input?: unknown; output?: unknown } | null | undefined = json.test[test - 1];
  if (!pair) throw new UserError(`--test ${test}: ${file} has ${json.test.length} test inputs`);
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
