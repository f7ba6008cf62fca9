/** Sudoku puzzles and their answers as examples of a dataset: token = digit + 1. */

import { quoted } from '../../formats/quote.ts';
import type { PuzzleExample } from '../input/puzzle-example.ts';
import { rulesBroken, type SudokuShape, sudokuGrid, sudokuTokens } from './sudoku.ts';
import { MOST_GUESSES, onlySolution } from './sudoku-solutions.ts';
import { sudokuDigit } from './sudoku-text.ts';

/** The digits of a grid written row by row, as {@link sudokuDigit} reads them; or what is wrong with it. */
export function parseSudokuGrid({ size, cells }: SudokuShape, text: string): Uint8Array | string {
  if (text.length !== cells) {
    return `has ${text.length} characters, expected ${cells} for ${size}×${size}: ${quoted(text)}`;
  }
  const grid = new Uint8Array(cells);
  for (let i = 0; i < cells; i++) {
    const digit = sudokuDigit(text.charCodeAt(i));
    if (digit > size) {
      return `character ${i + 1} is ${quoted(text[i])}, expected '.', 0 or a digit up to ${size}`;
    }
    grid[i] = digit;
  }
  return grid;
}

/** The example of a puzzle and its given answer, or what is wrong with them. See {@link ambiguity}. */
export function sudokuPair(shape: SudokuShape, question: string, answer: string): PuzzleExample | string {
  const puzzle = parseSudokuGrid(shape, question);
  if (typeof puzzle === 'string') return `the question ${puzzle}`;
  const solution = parseSudokuGrid(shape, answer);
  if (typeof solution === 'string') return `the answer ${solution}`;
  const place = (cell: number) =>
    `row ${Math.floor(cell / shape.size) + 1}, column ${(cell % shape.size) + 1}`;
  for (let cell = 0; cell < shape.cells; cell++) {
    if (solution[cell] === 0) return `the answer leaves ${place(cell)} blank`;
    if (puzzle[cell] !== 0 && puzzle[cell] !== solution[cell]) {
      return `the answer contradicts the question at ${place(cell)}: ${solution[cell]} where ${puzzle[cell]} is given`;
    }
  }
  const [broken] = rulesBroken(shape, solution);
  if (broken !== undefined) {
    return `the answer has ${solution[broken]} at ${place(broken)} and again in its row, column or box`;
  }
  return { input: sudokuTokens(puzzle), label: sudokuTokens(solution) };
}

/** The example of a puzzle with its solution found and proven to be the only one, or what is wrong with it. */
export function solvedSudoku(shape: SudokuShape, text: string): PuzzleExample | string {
  const puzzle = parseSudokuGrid(shape, text);
  if (typeof puzzle === 'string') return puzzle;
  const solution = onlySolution(shape, puzzle);
  if (typeof solution === 'string') return IMPROPER[solution];
  return { input: sudokuTokens(puzzle), label: sudokuTokens(solution) };
}

/** What is wrong with a puzzle, whose answer has been checked, if that is not proven to be its only one. */
export function ambiguity(shape: SudokuShape, { input }: PuzzleExample): string | undefined {
  const solution = onlySolution(shape, sudokuGrid(input));
  return typeof solution === 'string' ? IMPROPER[solution] : undefined;
}

/** What to say where {@link onlySolution} finds no only one. */
const IMPROPER = {
  none: 'the puzzle has no solution',
  several: 'the puzzle has more than one solution',
  unknown: `whether the puzzle has one solution is not proven: the search was given up after ${MOST_GUESSES.toLocaleString('en')} guesses`,
};
