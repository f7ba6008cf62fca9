import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '@hrm-webgpu/core';
import { afterAll, describe, expect, it } from 'vitest';
import { makeCheck } from '../../../src/cli/eval/task.ts';
import { chooseTask } from '../../../src/cli/task-option.ts';
import { writeIdentifiers } from '../../../src/data/dataset/dataset.node.ts';
import type { DatasetMetadata } from '../../../src/data/dataset/dataset.ts';
import { checkMaze } from '../../../src/data/maze/maze-check.ts';
import { MazeDistances } from '../../../src/data/maze/maze-distances.ts';
import { sudokuShape, sudokuTokens } from '../../../src/data/sudoku/sudoku.ts';
import { sudokuFaults } from '../../../src/data/sudoku/sudoku-check.ts';
import type { Answer } from '../../../src/evaluation/answers.ts';
import { bytesSource } from '../../../src/formats/files/byte-source.ts';
import { openSafetensors } from '../../../src/formats/safetensors.ts';
import type { Task } from '../../../src/tasks/tasks.ts';

const folder = mkdtempSync(join(tmpdir(), 'hrm-evaluate-'));
afterAll(() => rmSync(folder, { recursive: true }));

const metadata = (vocab_size: number, seq_len: number): DatasetMetadata => ({
  ...{ pad_id: 0, ignore_label_id: 0, blank_identifier_id: 0, vocab_size, seq_len },
  ...{ num_puzzle_identifiers: 1, total_groups: 1, mean_puzzle_examples: 1, sets: ['all'] },
});

const answeredBy = (tokens: Int32Array) => {
  const guess = { number: 0, checkpoint: 0, symmetry: {}, tokens, segments: 1, qHalt: 0, qContinue: 0 };
  return { guesses: [guess], selection: { guess, rule: 'vote' as const }, segments: 1, begun: 1 };
};

/** An answer of which only the tokens matter. */
const answer = (input: ArrayLike<number>, prediction: ArrayLike<number>): Answer => ({
  ...{ input: Int32Array.from(input), prediction: Int32Array.from(prediction) },
  ...answeredBy(Int32Array.from(prediction)),
  ...{ label: new Int32Array(input.length), labels: input.length, correct: [0] },
  ...{ puzzleIdentifier: 0, qHalt: 0, qContinue: 0, lmLoss: 0, steps: 1 },
});

describe('sudokuFaults', () => {
  const grid = (text: string) => sudokuTokens(Array.from(text, Number));
  const puzzle = grid('1000000000000000');
  it.each([
    ['1234341221434321', []],
    ['1234341221434322', ['brokenRules']],
    ['2134342112434312', ['changedGivens']],
    ['0234341221434321', ['blanks', 'changedGivens']],
    ['1134341221434320', ['blanks', 'brokenRules']],
  ])('of %s: %j', (text, faults) => {
    const found = sudokuFaults(sudokuShape(4), puzzle, grid(text));
    expect(
      Object.entries(found)
        .filter(([, is]) => is)
        .map(([name]) => name)
        .sort(),
    ).toEqual(faults);
  });
  it('takes padding for a blank', () => {
    expect(sudokuFaults(sudokuShape(4), puzzle, new Uint8Array(16)).blanks).toBe(true);
  });
});

const MAZE = ['S #G', '  # ', '    ', '####'];
const tokens = (rows: string[]) => Uint8Array.from(rows.join(''), (cell) => '# SGo'.indexOf(cell) + 1);

describe('checkMaze', () => {
  const check = (rows: string[]) => checkMaze(tokens(MAZE), tokens(rows), new MazeDistances(4));
  const good = { valid: true, optimal: true, throughWalls: false, changedMaze: false };
  it.each([
    ['a shortest path', ['S #G', 'o #o', 'oooo', '####'], good],
    ['another one', ['So#G', ' o#o', ' ooo', '####'], good],
    ['a detour', ['So#G', 'oo#o', 'oooo', '####'], { ...good, optimal: false }],
    ['a gap', ['S #G', 'o #o', 'oo o', '####'], { ...good, valid: false, optimal: false }],
    ['a corner that is cut', ['S #G', 'o #o', ' ooo', '####'], { ...good, valid: false, optimal: false }],
    [
      'a short cut through walls',
      ['SooG', '  # ', '    ', '####'],
      { ...good, valid: false, optimal: false, throughWalls: true },
    ],
    [
      'a valid path and a marked wall beside it',
      ['S #G', 'o #o', 'oooo', 'o###'],
      { ...good, valid: false, optimal: false, throughWalls: true },
    ],
    ['a path in a changed maze', ['S  G', 'o #o', 'oooo', '####'], { ...good, changedMaze: true }],
    ['the maze itself', MAZE, { ...good, valid: false, optimal: false }],
    [
      'nothing but marks',
      Array(4).fill('oooo'),
      { ...good, valid: false, optimal: false, throughWalls: true },
    ],
  ])('sees %s', (_, rows, verdict) => {
    expect(check(rows)).toEqual(verdict);
  });
  it('does not go round the edge, and copes with a maze without ends', () => {
    const rows = ['S##G', '####', '####', '####'];
    expect(checkMaze(tokens(rows), tokens(rows), new MazeDistances(4)).valid).toBe(false);
    const closed = ['    ', '    ', '    ', '    '];
    expect(checkMaze(tokens(closed), tokens(MAZE), new MazeDistances(4)).valid).toBe(false);
  });
  it('wants no mark where start and goal are neighbours', () => {
    const rows = ['SG##', '####', '####', '####'];
    const verdict = checkMaze(tokens(rows), tokens(rows), new MazeDistances(4));
    expect(verdict).toEqual(good);
  });
});

describe('chooseTask', () => {
  const sizes = (vocab_size: number, seq_len: number) => ({ vocab_size, seq_len });
  it.each<[string | undefined, Task | undefined, number, number, Task, boolean]>([
    [undefined, undefined, 11, 81, 'sudoku', true],
    [undefined, undefined, 8, 36, 'sudoku', true],
    [undefined, undefined, 6, 16, 'sudoku', true],
    [undefined, 'latin', 6, 16, 'latin', false],
    [undefined, 'none', 6, 16, 'none', false],
    ['sudoku', 'latin', 6, 16, 'sudoku', false],
    ['maze', undefined, 6, 16, 'maze', false],
    [undefined, undefined, 6, 900, 'maze', true],
    [undefined, undefined, 12, 900, 'arc', true],
    [undefined, undefined, 9, 49, 'none', true],
    ['latin', undefined, 9, 49, 'latin', false],
    ['none', 'arc', 12, 900, 'none', false],
  ])(
    '%s of data that say %s, %d kinds of %d tokens, is %s',
    (option, declared, vocab, seqLen, task, guessed) => {
      expect(chooseTask(option, declared, sizes(vocab, seqLen))).toEqual({ task, guessed });
    },
  );
  it('refuses unknown tasks and what does not fit', () => {
    expect(() => chooseTask('chess', undefined, sizes(11, 81))).toThrow(UserError);
    expect(() => chooseTask('maze', undefined, sizes(11, 81))).toThrow(/81 tokens of 11 kinds are no maze/);
  });
});

describe('makeCheck', () => {
  it('counts answers to Sudoku and mazes', async () => {
    const grid = (text: string) => sudokuTokens(Array.from(text, Number));
    const sudoku = await makeCheck('sudoku', metadata(6, 16), folder);
    const puzzle = grid('1000000000000000');
    for (const text of ['1234341221434321', '2134342112434312', '1134341221434321', '1234341221434321'])
      sudoku.add(answer(puzzle, grid(text)));
    const counts = (report: { shares: Record<string, { count: number; of: number }> }) =>
      Object.fromEntries(Object.entries(report.shares).map(([name, { count, of }]) => [name, [count, of]]));
    expect(counts(sudoku.report())).toEqual({
      ...{ valid: [2, 4], broken_rules: [1, 4], changed_givens: [1, 4], blank_cells: [0, 4] },
    });
    const maze = await makeCheck('maze', metadata(6, 16), folder);
    for (const rows of [
      ['S #G', 'o #o', 'oooo', '####'],
      ['So#G', 'oo#o', 'oooo', '####'],
    ])
      maze.add(answer(tokens(MAZE), tokens(rows)));
    expect(counts(maze.report())).toEqual({
      ...{ valid_path: [2, 2], optimal_path: [1, 2], through_walls: [0, 2], changed_maze: [0, 2] },
    });
  });

  it('scores ARC as the published code does, and makes a submission', async () => {
    const fixture = (name: string) =>
      readFileSync(new URL(`../../../../../test/fixtures/${name}`, import.meta.url));
    const { identifiers, K, solved, tasks } = JSON.parse(fixture('arc-vote.json').toString());
    await writeIdentifiers(folder, identifiers);
    const check = await makeCheck('arc', metadata(12, 900), folder);
    const file = await openSafetensors(bytesSource(fixture('arc-vote.safetensors'), 'votes'));
    const read = (name: string) => file.readF32(name);
    const [ids, qHalt] = [await read('puzzle_identifiers'), await read('q_halt_logits')];
    const [inputs, labels, preds] = [await read('inputs'), await read('labels'), await read('preds')];
    const row = (array: Float32Array, i: number) => Int32Array.from(array.subarray(900 * i, 900 * (i + 1)));
    ids.forEach((puzzleIdentifier, i) => {
      const found = answer(row(inputs, i), row(preds, i));
      check.add({ ...found, label: row(labels, i), puzzleIdentifier, qHalt: qHalt[i] });
    });
    const { shares, of } = check.report();
    expect(of).toBe('tasks');
    expect(Object.keys(shares)).toEqual(K.map((k: number) => `solved_at_${k}`));
    expect(Object.values(shares).map(({ count }) => count)).toEqual(solved);
    expect(Object.values(shares).every((share) => share.of === tasks)).toBe(true);
    expect(Object.keys(check.submission?.() ?? {})).toHaveLength(tasks);
  });
});
