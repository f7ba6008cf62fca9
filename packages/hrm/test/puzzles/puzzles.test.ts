/** A person's puzzle, from text to text, and the cells that break its rules. */
import { Philox, UserError } from '@hrm-webgpu/core';
import {
  brokenCells,
  encodeGrid,
  type Grid,
  meantBy,
  parsePuzzle,
  prospectOf,
  puzzleText,
  type Task,
  verdictOn,
} from 'hrm-webgpu/puzzles';
import { describe, expect, it } from 'vitest';
import { MAZE } from '../../src/data/maze/maze.ts';
import { TASKS } from '../../src/tasks/tasks.ts';

const rows = (text: string) => text.split(' ').map((row) => Array.from(row, (digit) => Number(digit) || 0));
const SIX = rows('4...21 2315.. .4..63 6....5 ..4.5. .6....');
const ARC = {
  train: [{ input: [[1]], output: [[2]] }],
  test: [{ input: [[1, 2, 3]], output: [[3, 2, 1]] }, { input: [[4], [5]] }],
};

describe('parsePuzzle', () => {
  it.each([
    ['a line', '4...212315...4..636....5..4.5..6....'],
    ['rows', '4...21\n2315..\n.4..63\n6....5\n..4.5.\n.6....\n'],
    ['strokes', '4..|.21\n231|5..\n---+---\n.4.|.63\n6..|..5\n---+---\n..4|.5.\n.6.|...\n'],
  ])('reads a Sudoku from %s', (_, text) => {
    expect(parsePuzzle(text)).toMatchObject({ task: 'sudoku', grid: SIX, title: '6×6 Sudoku' });
  });

  it('reads mazes, ARC tasks and grids of numbers', () => {
    expect(parsePuzzle('#S\nG')).toMatchObject({ task: 'maze', grid: [[1, 3], [4, 2]], title: '2×2 maze' }); // biome-ignore format: rows
    const text = JSON.stringify(ARC);
    expect(parsePuzzle(text)).toMatchObject({ task: 'arc', grid: [[1, 2, 3]], expected: [[3, 2, 1]] });
    expect(parsePuzzle(text, { test: 2 })).toMatchObject({ task: 'arc', grid: [[4], [5]] });
    expect(parsePuzzle(text, { test: 2 })).not.toHaveProperty('expected');
    expect(parsePuzzle('1 2\n3 4\n')).toMatchObject({ grid: [[1, 2], [3, 4]] }); // biome-ignore format: rows
    expect(parsePuzzle('[[10, 11]]').task).toBeUndefined();
  });

  it.each([
    ['x'.repeat(2 ** 20 + 1), {}, 'the puzzle: has 1048577 characters, more than any puzzle'],
    ['1..43..22..34..9', {}, `the Sudoku: character 16 is "9", expected '.', 0 or a digit up to 4`],
    ['4...2123', {}, 'a Sudoku has 16, 36 or 81 characters, got 8: "4...2123"'],
    [
      '4...2123',
      { name: 'a.txt' },
      'a.txt: row 1, column 1 is "4...2123", expected a whole number (or a Sudoku, a maze of # S G and spaces, or an ARC ' +
        'task in JSON)',
    ],
    ['1..43..22..34..1\n1..43..22..34...', {}, 'the puzzle: holds 2 Sudokus, expected one'],
    [
      JSON.stringify({ a: ARC, b: ARC }),
      { name: 'a.json' },
      'a.json: holds several ARC tasks, or none, expected one task, {"train": [...], "test": [...]}',
    ],
    [JSON.stringify(ARC), { test: 3 }, 'test 3: the puzzle has 2 test inputs'],
    ['1..43..22..34..1', { test: 1 }, 'test goes with an ARC task, and the puzzle is none: leave it out'],
    ['#S\n', {}, 'the puzzle: the maze has 1 rows of up to 2 cells, expected a square one'],
    ['', {}, 'the puzzle: is empty, expected a puzzle'],
  ])('has no advice of its own: case %#', (text, options, message) => {
    expect(() => parsePuzzle(text, options)).toThrow(new UserError(message));
  });

  it('puts the words of who calls it into what it says', () => {
    const words = { testName: '--nth', advice: { sudokus: 'Take one.', tasks: 'Cut one out.' } };
    expect(() => parsePuzzle('1..43..22..34..1\n1..43..22..34...', words)).toThrow(
      /expected one\. Take one\.$/,
    );
    expect(() => parsePuzzle(JSON.stringify({ a: ARC }), words)).toThrow(/\]\}\. Cut one out\.$/);
    expect(() => parsePuzzle(JSON.stringify(ARC), { ...words, test: 3 })).toThrow(/^--nth 3: /);
    expect(() => parsePuzzle('1..43..22..34..1', { ...words, test: 1 })).toThrow(/^--nth goes/);
  });

  it('is told by a checkpoint what digits mean', () => {
    const puzzle = parsePuzzle('1..43..22..34..1');
    expect(meantBy('latin', puzzle)).toMatchObject({ task: 'latin', grid: puzzle.grid });
    expect(meantBy('none', puzzle).grid[0]).toEqual([2, 1, 1, 5]);
    expect(meantBy(undefined, puzzle)).toBe(puzzle);
  });
});

describe('puzzleText', () => {
  const random = new Philox(1, 2);
  const filled = (height: number, width: number, cell: () => number) =>
    Array.from({ length: height }, () => Array.from({ length: width }, cell));

  /** Grids of a task, whether they can be solved or not. */
  const GRIDS: Record<Task, () => number[][][]> = {
    sudoku: () => [4, 6, 9].flatMap((n) => [filled(n, n, () => 0), filled(n, n, () => random.below(n + 1))]),
    latin: () => [3, 4, 6, 8].map((n) => filled(n, n, () => random.below(n + 1))),
    maze: () => [
      ...[2, 5, 30].map((n) => withEnds(filled(n, n, () => 1 + random.below(2)))),
      // Whole rows of free cells at both ends, and nothing but free cells.
      withEnds([
        ...filled(2, 5, () => MAZE.free),
        ...filled(1, 5, () => MAZE.wall),
        ...filled(2, 5, () => MAZE.free),
      ]),
      withEnds(filled(5, 5, () => MAZE.free)),
    ],
    arc: () => [
      filled(1, 1, () => 0),
      filled(30, 30, () => random.below(10)),
      filled(2, 7, () => random.below(10)),
    ],
    none: () => [
      filled(1, 1, () => 5),
      filled(2, 3, () => random.below(1000)),
      filled(4, 4, () => random.below(5)),
    ],
  };

  /** With S and G in the middle row. */
  function withEnds(grid: number[][]): number[][] {
    const middle = grid[Math.floor(grid.length / 2)];
    middle[0] = MAZE.start;
    middle[middle.length - 1] = MAZE.goal;
    return grid;
  }

  it.each(TASKS)('of %s is read back', (task) => {
    for (const grid of GRIDS[task]()) {
      const puzzle = parsePuzzle(puzzleText(task, grid));
      expect(puzzle.grid).toEqual(grid);
      // A Latin square and other numbers are what the model says.
      expect(puzzle.task).toBe(task === 'latin' || task === 'none' ? undefined : task);
    }
  });

  it('has a form that people know', () => {
    expect(puzzleText('sudoku', rows('1..4 3..2 2..3 4..1'))).toBe('1..43..22..34..1');
    expect(puzzleText('arc', [[1, 2]])).toBe('{"train":[],"test":[{"input":[[1,2]]}]}');
    expect(puzzleText('none', [[1, 2]])).toBe('[[1,2]]');
  });

  it('leaves the path of an answer out of a maze', () => {
    const maze = [[MAZE.start, MAZE.path], [MAZE.wall, MAZE.goal]]; // biome-ignore format: rows
    expect(puzzleText('maze', maze)).toBe('S \n#G');
  });
});

describe('brokenCells', () => {
  const sizes = { seq_len: 16, vocab_size: 6 };
  const blank = rows('.... .... .... ....');
  /** The same of rows and of tokens, in any combination. */
  function broken(task: Task, grid: number[][], givens: number[][]): number[] {
    const forms = (one: number[][]): Grid[] => [one, encodeGrid(task, sizes, one, 'grid')];
    const found = forms(grid).flatMap((a) => forms(givens).map((b) => brokenCells(task, a, b)));
    for (const one of found) expect(one).toEqual(found[0]);
    return found[0];
  }

  it('of a Sudoku clash in a row, column or box, or were given otherwise', () => {
    expect(broken('sudoku', rows('1.1. .... .... ....'), blank)).toEqual([0, 2]);
    expect(broken('sudoku', rows('1... .1.. .... ....'), blank)).toEqual([0, 5]);
    expect(broken('sudoku', rows('12.. 34.. .... ....'), rows('12.. 3... .... ....'))).toEqual([]);
    expect(broken('sudoku', rows('12.. 34.. .... ....'), rows('14.. 3... .... ....'))).toEqual([1]);
    expect(broken('sudoku', blank, rows('1... .... .... ....'))).toEqual([0]);
  });

  it('of a Latin square clash in a row or column', () => {
    expect(broken('latin', rows('1... .1.. 1... ....'), blank)).toEqual([0, 8]);
    expect(broken('latin', rows('1... .1.. .... ....'), rows('.... .2.. .... ....'))).toEqual([5]);
  });

  it('of a maze are marked where walls are', () => {
    const maze = [[3, 1, 4, 2], [2, 2, 2, 2], [1, 1, 1, 1], [2, 2, 2, 2]]; // biome-ignore format: rows
    const answer = [[3, 5, 4, 2], [5, 5, 5, 2], [1, 5, 1, 2], [2, 2, 2, 2]]; // biome-ignore format: rows
    expect(broken('maze', answer, maze)).toEqual([1, 9]);
    expect(broken('maze', maze, maze)).toEqual([]);
  });

  it('are none where no rule is known', () => {
    expect(brokenCells('none', [[1, 1]], [[1, 2]])).toEqual([]);
    expect(brokenCells('arc', [[1, 1]], [[1, 2]])).toEqual([]);
  });
});

it('the prospect and the verdict take what was parsed', () => {
  const { task = 'none', grid } = parsePuzzle('1..43..22..34..1');
  const input = encodeGrid(task, { seq_len: 16, vocab_size: 6 }, grid, 'the puzzle');
  expect(prospectOf(task, input)).toBeUndefined();
  const verdict = verdictOn({ task, input, prediction: input, answer: grid });
  expect(verdict).toMatchObject({ valid: false, text: 'not solved: a cell is blank' });
});
