/**
 * Fingerprints that do not change under any symmetry of Sudoku (digits, bands, rows, stacks, columns, transpose),
 * to keep copies of a test puzzle out of the training split.
 */

import type { SudokuShape } from './sudoku.ts';

/** Each round lets a cell know of cells one unit farther away; on 9×9 two reach every cell. */
const ROUNDS = 4;

/** Scrambles 32 bits (the finaliser of MurmurHash3). */
function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/**
 * A 32-bit number that equivalent puzzles share. Others share it by chance only, one pair in 2³² or so.
 *
 * Colour refinement (Weisfeiler and Leman, 1968): a cell's colour starts as whether it is given, and takes in the
 * colours found in its row and column (in no order), its box, and the cells of the same digit.
 *
 * @param grid digits, 0 for a blank
 */
export function sudokuFingerprint({ size, cells, units }: SudokuShape, grid: ArrayLike<number>): number {
  let colours = Uint32Array.from({ length: cells }, (_, cell) => (grid[cell] === 0 ? 1 : 2));
  for (let round = 0; round < ROUNDS; round++) {
    const inUnit = new Uint32Array(3 * size);
    const ofDigit = new Uint32Array(size + 1);
    for (let cell = 0; cell < cells; cell++) {
      const colour = mix(colours[cell]);
      for (let unit = 0; unit < 3; unit++) inUnit[units[cell * 3 + unit]] += colour;
      if (grid[cell] > 0) ofDigit[grid[cell]] += colour;
    }
    colours = colours.map((colour, cell) => {
      const lines = mix(inUnit[units[cell * 3]]) + mix(inUnit[units[cell * 3 + 1]]);
      const box = mix(inUnit[units[cell * 3 + 2]] ^ 0x626f78);
      const digit = mix(ofDigit[grid[cell]] ^ 0x646967);
      return mix(mix(mix(mix(colour) + lines) + box) + digit);
    });
  }
  return mix(colours.reduce((sum, colour) => (sum + mix(colour)) >>> 0, 0));
}
