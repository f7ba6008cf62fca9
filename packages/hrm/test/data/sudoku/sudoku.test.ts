import { Philox, UserError } from '@hrm-webgpu/core';
import { describe, expect, it } from 'vitest';
import {
  canonicalUnderRelabelling,
  rulesBroken,
  sudokuGrid,
  sudokuShape,
  sudokuTokens,
} from '../../../src/data/sudoku/sudoku.ts';
import { randomPuzzle, randomSolution } from '../../../src/data/sudoku/sudoku-generator.ts';
import { countSolutions, solve } from '../../../src/data/sudoku/sudoku-solutions.ts';

const four = sudokuShape(4);
const six = sudokuShape(6);
const nine = sudokuShape(9);

/** The first 20 puzzles of http://magictour.free.fr/top1465, which are hard for solvers. */
const HARD = `
4...3.......6..8..........1....5..9..8....6...7.2........1.27..5.3....4.9........
7.8...3.....2.1...5.........4.....263...8.......1...9..9.6....4....7.5...........
7.8...3.....6.1...5.........4.....263...8.......1...9..9.2....4....7.5...........
3.7.4...........918........4.....7.....16.......25..........38..9....5...2.6.....
5..7..6....38...........2..62.4............917............35.8.4.....1......9....
4..7..6....38...........2..62.5............917............43.8.5.....1......9....
.4..1.2.......9.7..1..........43.6..8......5....2.....7.5..8......6..3..9........
7.5.....2...4.1...3.........1.6..4..2...5...........9....37.....8....6...9.....8.
......41.9..3.....3...5.....48..7..........62.1.......6..2....5.7....8......9....
7.5.....2...4.1...3.........1.6..4..2...5...........9....37.....9....8...8.....6.
.8..1......5....3.......4.....6.5.7.89....2.....3.....2.....1.9..67........4.....
8.9...3.....7.1...5.........7.....263...9.......1...4..6.2....4....8.5...........
6.9.....8...7.1...4............6...4.2.....3..3....5...1.5...7.8...9..........2..
......41.9..3.....3...2.....48..7..........52.1.......5..2....6.7....8......9....
1...48....5....9....6...3.....57.2..8.3.........9............4167..........2.....
7.8...3.....6.1...4.........6.....253...8.......1...9..9.5....2....7.4...........
4.3.....2...6.1...8...........5..79.2...3.....1..........84.....9....6...7.....5.
.1.62....5......43....9....7......8...5.....4...1..........36...9....2..8....7...
4.3.....2...6.1...8...........5..97.2...3.....1..........84.....9....6...7.....5.
8.5.....2...9.1...3.........6.7..4..2...5...........6....38.....1....9...4.....7.
`
  .trim()
  .split('\n');

const parse = (text: string) => Uint8Array.from(text, (c) => (c === '.' ? 0 : Number(c)));

/** All solutions by trying every digit in every cell, with no help from the code under test. */
function bruteForce4(grid: Uint8Array, cell = 0): Uint8Array[] {
  if (cell === 16) return [grid.slice()];
  const fits = (digit: number) =>
    grid.every((other, i) => {
      const row = i >> 2 === cell >> 2;
      const column = i % 4 === cell % 4;
      const box = i >> 3 === cell >> 3 && (i % 4) >> 1 === (cell % 4) >> 1;
      return i === cell || other !== digit || !(row || column || box);
    });
  const given = grid[cell];
  const solutions: Uint8Array[] = [];
  for (const digit of given ? [given] : [1, 2, 3, 4]) {
    if (!fits(digit)) continue;
    grid[cell] = digit;
    solutions.push(...bruteForce4(grid, cell + 1));
  }
  grid[cell] = given;
  return solutions;
}

describe('shape and tokens', () => {
  it('numbers boxes of 2 rows and 3 columns', () => {
    const boxes = Array.from({ length: 36 }, (_, cell) => six.units[cell * 3 + 2] - 12);
    expect(boxes.join('')).toBe('000111000111222333222333444555444555');
  });

  it('refuses other sizes', () => {
    expect(() => sudokuShape(16)).toThrow(UserError);
    expect(() => sudokuShape(16)).toThrow(/no size 16/);
  });

  it('maps digits to tokens and back; padding is blank', () => {
    expect(sudokuTokens([0, 1, 9])).toEqual(Uint8Array.of(1, 2, 10));
    expect(sudokuGrid([0, 1, 2, 10])).toEqual(Uint8Array.of(0, 0, 1, 9));
  });
});

describe('solving', () => {
  it('counts the 288 solutions of 4×4, 12 up to relabelling', () => {
    const all = bruteForce4(new Uint8Array(16));
    expect(all).toHaveLength(288);
    expect(countSolutions(four, new Uint8Array(16), 1000)).toBe(288);
    expect(new Set(all.map(canonicalUnderRelabelling)).size).toBe(12);
  });

  it('stops at the limit', () => {
    expect(countSolutions(nine, new Uint8Array(81), 5)).toBe(5);
  });

  it('counts as brute force does', () => {
    const random = new Philox(4);
    const [solution] = bruteForce4(new Uint8Array(16));
    for (let i = 0; i < 200; i++) {
      const grid = solution.map((digit) => (random.below(4) ? 0 : digit));
      expect(countSolutions(four, grid, 1000)).toBe(bruteForce4(grid).length);
    }
  });

  it('counts the 28,200,960 solutions of 6×6 in those with a given first row and box', () => {
    // 6! first rows, and 3! second rows of the first box under each.
    const grid = new Uint8Array(36);
    grid.set([1, 2, 3, 4, 5, 6]);
    grid.set([4, 5, 6], 6);
    expect(countSolutions(six, grid, 1e6) * 720 * 6).toBe(28_200_960);
  });

  it.each(HARD)('solves %s', (text) => {
    const puzzle = parse(text);
    expect(countSolutions(nine, puzzle, 2)).toBe(1);
    const solution = solve(nine, puzzle)!;
    expect(rulesBroken(nine, solution)).toEqual([]);
    for (let cell = 0; cell < 81; cell++) {
      expect(solution[cell]).toBeGreaterThan(0);
      if (puzzle[cell]) expect(solution[cell]).toBe(puzzle[cell]);
    }
  });

  it('finds nothing where givens break a rule or leave no digit', () => {
    expect(solve(four, parse('11..............'))).toBeUndefined();
    expect(solve(four, parse('123.4...........'))).toBeDefined();
    expect(solve(four, parse('123....4........'))).toBeUndefined();
    expect(countSolutions(four, parse('11..............'), 2)).toBe(0);
  });

  it('refuses grids of another size and digits out of range', () => {
    expect(() => solve(nine, new Uint8Array(16))).toThrow(UserError);
    expect(() => solve(nine, new Uint8Array(16))).toThrow(/16 cells, expected 81 for 9×9/);
    expect(() => countSolutions(four, parse('....5...........'), 1)).toThrow(/cell 4 holds 5/);
    expect(() => rulesBroken(four, Array(16).fill(-1))).toThrow(/cell 0 holds -1/);
  });
});

describe('rulesBroken', () => {
  it('names every cell of a clash, by row, column and box', () => {
    expect(rulesBroken(four, new Uint8Array(16))).toEqual([]);
    expect(rulesBroken(four, parse('1..1............'))).toEqual([0, 3]);
    expect(rulesBroken(four, parse('1...........1...'))).toEqual([0, 12]);
    expect(rulesBroken(four, parse('1....1..........'))).toEqual([0, 5]);
    expect(rulesBroken(four, parse('12..3412........'))).toEqual([]);
    expect(rulesBroken(six, parse('1.......1...........................'))).toEqual([0, 8]);
    expect(rulesBroken(six, parse('1........1..........................'))).toEqual([]);
  });
});

describe('making', () => {
  it('makes every 4×4 solution', () => {
    const random = new Philox(0);
    const made = new Set(Array.from({ length: 5000 }, () => randomSolution(four, random).join('')));
    expect(made).toEqual(new Set(bruteForce4(new Uint8Array(16)).map((grid) => grid.join(''))));
  });

  it.each([
    [four, 0],
    [four, 8],
    [four, 12],
    [six, 20],
    [nine, 30],
    [nine, 54],
  ])('makes proper puzzles of the shape $size with %i blanks', (shape, blanks) => {
    const random = new Philox(blanks);
    for (let i = 0; i < 20; i++) {
      const { puzzle, solution } = randomPuzzle(shape, random, blanks);
      expect(puzzle.filter((digit) => digit === 0)).toHaveLength(blanks);
      expect(countSolutions(shape, puzzle, 2)).toBe(1);
      expect(solve(shape, puzzle)).toEqual(solution);
    }
  });

  it('says when there are no such puzzles', () => {
    expect(() => randomPuzzle(four, new Philox(0), 13)).toThrow(UserError);
    expect(() => randomPuzzle(four, new Philox(0), 13)).toThrow(/no 4×4 puzzle with 13 blanks/);
  });
});

describe('canonicalUnderRelabelling', () => {
  it('names digits in order of first appearance', () => {
    expect(canonicalUnderRelabelling([0, 4, 2, 4, 0, 1])).toBe('012103');
  });

  it('is the same exactly for relabelled grids', () => {
    const a = canonicalUnderRelabelling(parse('31..............'));
    expect(canonicalUnderRelabelling(parse('24..............'))).toBe(a);
    expect(canonicalUnderRelabelling(parse('3.1.............'))).not.toBe(a);
    expect(canonicalUnderRelabelling(parse('31........3.....'))).not.toBe(a);
  });
});
