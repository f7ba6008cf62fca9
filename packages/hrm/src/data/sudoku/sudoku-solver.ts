/**
 * Finds the solutions of Sudoku grids fast enough to label whole puzzle lists: candidate sets as bit masks,
 * naked and hidden singles to a fixed point, then a guess in a cell with the fewest candidates.
 */

import type { SudokuShape } from './sudoku.ts';

/** Bits set in each set of up to nine digits. */
const COUNT = Uint8Array.from({ length: 1 << 9 }, (_, set) => set.toString(2).replaceAll('0', '').length);

/** A solver for one shape; its memory is used again by every search. */
export class SudokuSolver {
  private readonly size: number;
  private readonly cells: number;
  private readonly all: number;
  /** [cells · peerCount]: the other cells of each cell's row, column and box. */
  private readonly peers: Uint8Array;
  private readonly peerCount: number;
  /** [3 · size · size]: the cells of each unit. */
  private readonly unitCells: Uint8Array;
  /** Candidates by depth of guessing and cell; a cell whose digit is set and spread to its peers has none. */
  private readonly levels: Uint16Array[];
  private readonly digits: Uint8Array[];
  /** Guesses that the search under way may still make. */
  private guesses = 0;

  constructor({ size, cells, units }: SudokuShape) {
    this.size = size;
    this.cells = cells;
    this.all = (1 << size) - 1;
    const indices = Array.from({ length: cells }, (_, cell) => cell);
    const shared = (a: number, b: number) =>
      [0, 1, 2].some((unit) => units[a * 3 + unit] === units[b * 3 + unit]);
    const peers = indices.map((cell) => indices.filter((other) => other !== cell && shared(cell, other)));
    this.peerCount = peers[0].length;
    this.peers = Uint8Array.from(peers.flat());
    const members = Array.from({ length: 3 * size }, (_, unit) =>
      indices.filter((cell) => units.subarray(cell * 3, cell * 3 + 3).includes(unit)),
    );
    this.unitCells = Uint8Array.from(members.flat());
    this.levels = Array.from({ length: cells + 1 }, () => new Uint16Array(cells));
    this.digits = Array.from({ length: cells + 1 }, () => new Uint8Array(cells));
  }

  /**
   * Calls `found` for every solution until it returns true, which stops the search.
   *
   * @param grid digits 1 … size, 0 for a blank; unchecked
   * @param found gets the solver's own array, which the search goes on to change
   * @param guesses at most so many are made
   * @returns false if these were not enough: there may be solutions that were not found
   */
  search(
    grid: ArrayLike<number>,
    found: (digits: Uint8Array) => boolean,
    guesses = Number.POSITIVE_INFINITY,
  ): boolean {
    this.guesses = guesses;
    const candidates = this.levels[0].fill(this.all);
    this.digits[0].fill(0);
    for (let cell = 0; cell < this.cells; cell++) {
      if (grid[cell] === 0) continue;
      const bit = 1 << (grid[cell] - 1);
      if ((candidates[cell] & bit) === 0 || !this.assign(0, cell, bit)) return true;
    }
    this.explore(0, found);
    return this.guesses >= 0;
  }

  /** True to stop. */
  private explore(depth: number, found: (digits: Uint8Array) => boolean): boolean {
    const candidates = this.levels[depth];
    for (;;) {
      if (!this.propagate(depth)) return false;
      const cell = this.fewest(candidates);
      if (cell < 0) return found(this.digits[depth]);
      if (--this.guesses < 0) return true;
      const bit = candidates[cell] & -candidates[cell];
      this.levels[depth + 1].set(candidates);
      this.digits[depth + 1].set(this.digits[depth]);
      if (this.assign(depth + 1, cell, bit) && this.explore(depth + 1, found)) return true;
      // The guess is done with: without it the cell may be a single, so this level goes on from there.
      candidates[cell] ^= bit;
    }
  }

  /** Sets the digit of a cell; false if that leaves a peer without candidates. */
  private assign(depth: number, cell: number, bit: number): boolean {
    const candidates = this.levels[depth];
    this.digits[depth][cell] = 32 - Math.clz32(bit);
    candidates[cell] = 0;
    const end = (cell + 1) * this.peerCount;
    for (let i = cell * this.peerCount; i < end; i++) {
      const peer = this.peers[i];
      if (candidates[peer] & bit) {
        candidates[peer] ^= bit;
        if (candidates[peer] === 0) return false;
      }
    }
    return true;
  }

  /** Sets naked and hidden singles until there are none; false at a contradiction. */
  private propagate(depth: number): boolean {
    for (;;) {
      if (!this.nakedSingles(depth)) return false;
      const set = this.hiddenSingles(depth);
      if (set < 0) return false;
      if (set === 0) return true;
    }
  }

  /** Sets the cells with one candidate; false at a contradiction. */
  private nakedSingles(depth: number): boolean {
    const candidates = this.levels[depth];
    for (let cell = 0, since = 0; since < this.cells; cell = cell + 1 === this.cells ? 0 : cell + 1) {
      const set = candidates[cell];
      since++;
      if (set === 0 || set & (set - 1)) continue;
      if (!this.assign(depth, cell, set)) return false;
      since = 0;
    }
    return true;
  }

  /** Sets digits that have one cell left in a unit; how many, or −1 where a digit of a unit has none. */
  private hiddenSingles(depth: number): number {
    const candidates = this.levels[depth];
    const digits = this.digits[depth];
    const { size, unitCells } = this;
    let count = 0;
    for (let start = 0; start < unitCells.length; start += size) {
      let once = 0;
      let twice = 0;
      let placed = 0;
      for (let i = start; i < start + size; i++) {
        const set = candidates[unitCells[i]];
        twice |= once & set;
        once |= set;
        placed |= (1 << digits[unitCells[i]]) >> 1;
      }
      if ((once | placed) !== this.all) return -1;
      let singles = once & ~twice;
      for (let i = start; singles !== 0; i++) {
        const bit = candidates[unitCells[i]] & singles;
        if (bit === 0) continue;
        // Two digits that need the same cell.
        if (bit & (bit - 1)) return -1;
        if (!this.assign(depth, unitCells[i], bit)) return -1;
        singles ^= bit;
        count++;
      }
    }
    return count;
  }

  /** An open cell with the fewest candidates; −1 if every cell is set. */
  private fewest(candidates: Uint16Array): number {
    let best = -1;
    let fewest = 10;
    for (let cell = 0; cell < this.cells && fewest > 2; cell++) {
      const count = COUNT[candidates[cell]];
      if (count > 0 && count < fewest) {
        best = cell;
        fewest = count;
      }
    }
    return best;
  }
}
