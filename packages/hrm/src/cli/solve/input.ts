/** The puzzle of `hrm solve`: a Sudoku, a text file or standard input. */

import { existsSync } from 'node:fs';
import { UserError } from '@hrm-webgpu/core';
import { readTextFile } from '../../formats/files/file-source.node.ts';
import { isSudoku, type PuzzleInput, parsePuzzle, sudokuPuzzle } from '../../puzzles/parse-puzzle.ts';

/** What stands for the standard input, and what messages call it. */
const STDIN = '-';
const STDIN_NAME = 'standard input';

/** The words of this command for what {@link parsePuzzle} says. */
const WORDS = {
  testName: '--test',
  advice: {
    sudokus: 'For all of them: hrm data sudoku --puzzles, then hrm eval',
    tasks: 'Write the one to be solved to a file.',
  },
};

/**
 * Reads the puzzle argument: `-` for standard input, the path of a text file, or else a Sudoku.
 *
 * @param test which test input of an ARC task, from 1
 * @throws UserError saying what is wrong with it, and where
 */
export async function readPuzzle(argument: string, test: number | undefined): Promise<PuzzleInput> {
  const text = await textOf(argument);
  if (text !== undefined) {
    return parsePuzzle(text, { name: argument === STDIN ? STDIN_NAME : argument, test, ...WORDS });
  }
  if (test !== undefined) {
    throw new UserError('--test goes with an ARC task, and the puzzle is none: leave it out');
  }
  return sudokuPuzzle(argument, '(There is no file of this name either.)');
}

/** The text that the argument names; undefined where it is a Sudoku itself. */
async function textOf(argument: string): Promise<string | undefined> {
  if (argument === STDIN) return readStdin();
  const isPath = existsSync(argument) || (/[\\/]|\.[a-z]+$/i.test(argument) && !isSudoku(argument));
  return isPath ? readTextFile(argument) : undefined;
}

async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  return new TextDecoder().decode(Buffer.concat(chunks));
}
