/**
 * Sudokus as people keep them in text: one a line, one over several lines with or without strokes between the boxes,
 * or rows of a JSON array. One reader for all, whatever asks for it.
 */

import { quoted } from '../../formats/quote.ts';
import { type FoundArray, JsonArrays } from '../input/json-arrays.ts';
import type { SudokuShape } from './sudoku.ts';

/** The cells of a Sudoku, row by row, a character each; or what is wrong with what stands in its place. */
export type FoundSudoku = { line: number } & ({ cells: string } | { problem: string });

const NO_DIGIT = 255;

/** By character code: tables have hundreds of millions of cells. */
const DIGITS = new Uint8Array(256).fill(NO_DIGIT);
for (let digit = 0; digit <= 9; digit++) DIGITS[48 + digit] = digit;
for (const blank of '._xX*·') DIGITS[blank.charCodeAt(0)] = 0;

/** A line that is cells and nothing else, as most lines of most files are. */
const PLAIN = /^[\d._xX*·]+$/;

/** What stands between boxes, beside each other and above each other: the latter may have corners that are blanks elsewhere. */
const BARS = /[\s|+\u2502\u2503\u2551]/g;
const STROKE = /[-=\u2500\u2501\u2550]/;

/** How an array begins; a line `[Puzzle]` is none. */
const ARRAY = /^\[\s*(?:$|[[\d"]|null)/;

const NONE: readonly FoundSudoku[] = [];

/** However its cells are parted, a Sudoku is shorter. */
const MAX_CHARACTERS = 4096;

/** The digit of a character, by its code: 0 for a blank, more than 9 for what is none. */
export function sudokuDigit(code: number): number {
  return DIGITS[code] ?? NO_DIGIT;
}

/** The cells of a line of text, a character each; none where it only parts boxes. Nothing between commas is a blank. */
function cellsOf(line: string): string {
  if (STROKE.test(line) && !/[\d_x]/i.test(line)) return '';
  const cells = line.replace(BARS, '');
  return cells.includes(',') ? cells.replace(/(?<=^|,)(?=,|$)/g, '.').replaceAll(',', '') : cells;
}

/** Finds the Sudokus of one size in lines of text. Lines that begin with # are comments. */
export class SudokuLines {
  /** Rows of a Sudoku that is not whole yet. */
  private rows: string[] = [];
  /** The line of the first of them. */
  private first = 0;
  /** Whether one of them is wrong: the others are read, lest they are taken for another Sudoku. */
  private spoilt = false;
  private readonly arrays = new JsonArrays();

  constructor(private readonly shape: SudokuShape) {}

  /** What a line completes. */
  add(line: string, number: number): Iterable<FoundSudoku> {
    const { cells, boxRows } = this.shape;
    if (this.arrays.open) return this.ofArray(this.arrays.add(line, number));
    if (line.length === cells && this.rows.length === 0 && PLAIN.test(line)) {
      return [{ line: number, cells: line }];
    }
    const text = line.trim();
    if (text === '') return this.rows.length % boxRows === 0 ? NONE : this.end();
    if (text.startsWith('#')) return NONE;
    if (/^\[puzzle\]$/i.test(text)) return this.end();
    if (ARRAY.test(text)) return this.ofArray(this.arrays.add(text, number));
    if (text.length > MAX_CHARACTERS) {
      return [{ line: number, problem: `has ${text.length} characters, more than any Sudoku` }];
    }
    return this.addCells(cellsOf(text), number, text);
  }

  /** To be called after the last line: what is not whole. */
  end(): readonly FoundSudoku[] {
    const { rows, first, spoilt } = this;
    this.rows = [];
    this.spoilt = false;
    const found = [...this.ofArray(this.arrays.end())];
    if (rows.length > 0 && !spoilt) {
      const problem = `the grid that begins here has ${rows.length} rows, expected ${this.shape.size}`;
      found.push({ line: first, problem });
    }
    return found;
  }

  /** @param text what messages call them */
  private addCells(row: string, number: number, text: string): readonly FoundSudoku[] {
    const { size, cells } = this.shape;
    if (row === '') return NONE;
    if (row.length === cells) return [...this.end(), { line: number, cells: row }];
    const problem =
      row.length === size
        ? undefined
        : `has ${row.length} characters, expected ${cells} for ${size}×${size}, or ${size} in each of ${size} lines: ${quoted(text)}`;
    const found: FoundSudoku[] = problem ? [{ line: number, problem }] : [];
    if (problem && this.rows.length === 0) return found;
    if (this.rows.length === 0) this.first = number;
    this.rows.push(row);
    this.spoilt ||= problem !== undefined;
    if (this.rows.length < size) return found;
    if (!this.spoilt) found.push({ line: this.first, cells: this.rows.join('') });
    this.rows = [];
    this.spoilt = false;
    return found;
  }

  /** An array of rows, a list of such arrays, or one row. */
  private *ofArray(array: FoundArray | undefined): Generator<FoundSudoku> {
    if (!array) return;
    const { line } = array;
    const value = 'value' in array ? array.value : undefined;
    const row = rowCells(value);
    if (row !== undefined) return yield* this.addCells(row, line, JSON.stringify(value));
    yield* this.end();
    if ('problem' in array) return yield array;
    const isList = Array.isArray(array.value[0]) && Array.isArray(array.value[0][0]);
    for (const grid of isList ? array.value : [value]) yield { line, ...this.ofRows(grid) };
  }

  private ofRows(grid: unknown): { cells: string } | { problem: string } {
    const { size } = this.shape;
    const rows = Array.isArray(grid) ? grid.map(rowCells) : [];
    if (rows.length === size && rows.every((row) => row?.length === size)) return { cells: rows.join('') };
    return {
      problem: `expected an array of ${size} rows of ${size} digits each, with 0, null or "." for a blank`,
    };
  }
}

/** The cells of a row of a JSON array; undefined for anything that is none. */
function rowCells(row: unknown): string | undefined {
  if (!Array.isArray(row)) return undefined;
  const cells = row.map((cell: unknown) => {
    if (cell === null || cell === '') return '.';
    const text = typeof cell === 'number' || typeof cell === 'string' ? String(cell) : '';
    return text.length === 1 ? text : undefined;
  });
  return cells.includes(undefined) ? undefined : cells.join('');
}

/** The Sudokus of a text, in order. */
export function* sudokusIn(shape: SudokuShape, text: string): Generator<FoundSudoku> {
  const lines = new SudokuLines(shape);
  for (const [i, line] of text.split(/\r?\n/).entries()) yield* lines.add(line, i + 1);
  yield* lines.end();
}
