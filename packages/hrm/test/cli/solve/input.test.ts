import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readPuzzle } from '../../../src/cli/solve/input.ts';

const folder = mkdtempSync(join(tmpdir(), 'hrm-input-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The puzzle of a file that holds a text. */
async function read(text: string) {
  const path = join(folder, 'puzzle');
  writeFileSync(path, text);
  const { task, grid, title } = await readPuzzle(path, undefined);
  return { task, grid, title };
}

const FOUR = {
  task: 'sudoku',
  title: '4×4 Sudoku',
  grid: [1, 3, 2, 4].map((first) => [first, 0, 0, 5 - first]),
};

describe('readPuzzle', () => {
  it.each([
    ['nothing between commas', '1,,,4\n3,,,2\n2,,,3\n4,,,1\n'],
    ['commas on one line', '1,,,4,3,,,2,2,,,3,4,,,1\n'],
    ['digits on one line', '1 0 0 4 3 0 0 2 2 0 0 3 4 0 0 1\n'],
    ['digits that stand together', '10 04\n30 02\n20 03\n40 01\n'],
    ['a comment and digits', '# mine\n1 0 0 4\n3 0 0 2\n2 0 0 3\n4 0 0 1\n'],
    ['texts in an array', '[["1","","","4"],["3","","","2"],["2","","","3"],["4","","","1"]]'],
  ])('takes %s for a Sudoku', async (_, text) => {
    expect(await read(text)).toEqual(FOUR);
  });

  it.each([
    ['1 0 0 4\n3, 0, 0, 2\n2 ,0 ,0 ,3\n4\t0\t0\t1\n', FOUR.grid, '4×4 grid of numbers'],
    ['[[1, 0, 0, 4], [3, 0, 0, 2], [2, 0, 0, 3], [4, 0, 0, 1]]', FOUR.grid, '4×4 grid of numbers'],
    [
      '10 11\n12 13\n',
      [
        [10, 11],
        [12, 13],
      ],
      '2×2 grid of numbers',
    ],
    ['1 2 3 4 5 6', [[1, 2, 3, 4, 5, 6]], '1×6 grid of numbers'],
  ])('leaves to the model what %j means', async (text, grid, title) => {
    expect(await read(text)).toEqual({ task: undefined, grid, title });
  });

  it('takes an argument for a Sudoku or a file by what it looks like', async () => {
    expect((await readPuzzle('1..43..22..34..x', undefined)).grid[3]).toEqual([4, 0, 0, 0]);
    await expect(readPuzzle('1..43..22..34..txt', undefined)).rejects.toThrow(/no such file/);
    await expect(readPuzzle('1..43..22..34.y1', undefined)).rejects.toThrow(/character 15 is "y"/);
  });

  it('tells a maze from a Sudoku with comments', async () => {
    expect((await read('####\n#SG#\n#  #\n####\n')).task).toBe('maze');
    expect((await read('#S G\n1..4\n3..2\n2..3\n4..1\n')).task).toBe('sudoku');
  });
});
