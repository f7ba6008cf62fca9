/**
 * The symmetries of Sudoku, for copies of training puzzles on disk as the published data has them: transpose
 * with probability ½, then permute bands and the rows in them, stacks and the columns in them, rename digits.
 */

import type { Philox } from '@hrm-webgpu/core';
import type { PuzzleExample } from '../input/puzzle-example.ts';
import { BLANK_TOKEN } from './blank-token.ts';
import type { SudokuShape } from './sudoku.ts';

export class SudokuAugmenter {
  private readonly size: number;
  private readonly transposable: boolean;
  /** Old cell of each new cell. */
  private readonly from: Uint8Array;
  /** New token of each old one; padding and blanks stay. */
  private readonly token: Uint8Array;
  private readonly rows: LinePermutation;
  private readonly columns: LinePermutation;
  private readonly copy: PuzzleExample;

  constructor(
    { size, cells, boxRows, boxColumns }: SudokuShape,
    private readonly random: Philox,
  ) {
    this.size = size;
    // Boxes of 2 rows and 3 columns would become boxes of 3 rows and 2 columns.
    this.transposable = boxRows === boxColumns;
    this.from = new Uint8Array(cells);
    this.token = Uint8Array.from({ length: size + 2 }, (_, token) => token);
    this.rows = new LinePermutation(size, boxRows, random);
    this.columns = new LinePermutation(size, boxColumns, random);
    this.copy = { input: new Uint8Array(cells), label: new Uint8Array(cells) };
  }

  /** A random copy of a puzzle of tokens. The result is overwritten by the next call. */
  next({ input, label }: PuzzleExample): PuzzleExample {
    this.random.shuffle(this.token.subarray(BLANK_TOKEN + 1));
    const transpose = this.transposable && this.random.below(2) === 1;
    const rows = this.rows.next();
    const columns = this.columns.next();
    const { size, from, token, copy } = this;
    for (let i = 0, cell = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        from[cell++] = transpose ? columns[j] * size + rows[i] : rows[i] * size + columns[j];
      }
    }
    for (let cell = 0; cell < from.length; cell++) {
      copy.input[cell] = token[input[from[cell]]];
      copy.label[cell] = token[label[from[cell]]];
    }
    return copy;
  }
}

/** Random orders of rows (or columns) that keep bands (or stacks) together. */
class LinePermutation {
  private readonly order: Uint8Array;
  private readonly bands: Uint8Array;
  private readonly within: Uint8Array;

  constructor(
    size: number,
    private readonly width: number,
    private readonly random: Philox,
  ) {
    this.order = new Uint8Array(size);
    this.bands = Uint8Array.from({ length: size / width }, (_, band) => band);
    this.within = Uint8Array.from({ length: width }, (_, line) => line);
  }

  /** The old line of each new one. The result is overwritten by the next call. */
  next(): Uint8Array {
    this.random.shuffle(this.bands);
    let line = 0;
    for (const band of this.bands) {
      this.random.shuffle(this.within);
      for (const old of this.within) this.order[line++] = band * this.width + old;
    }
    return this.order;
  }
}
