import { existsSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { readIdentifiers, readSplit } from '../packages/hrm/src/data/dataset/dataset.node.ts';
import { at, hrmData, rows, setOf, succeed, write } from './run-hrm-data.ts';

// Before the terminal's colours are decided on.
vi.hoisted(() => {
  process.env.NO_COLOR = '1';
});

describe('hrm data jsonl', () => {
  const lines = (examples: unknown[]) => examples.map((example) => JSON.stringify(example)).join('\n');

  it('pads grids, and groups examples by task', async () => {
    const file = write(
      'own.jsonl',
      lines([
        { input: [[0, 7]], output: [[1, 2]], task: 'b' },
        { input: [[5]], output: [[6]] },
        { input: [[1], [2], [3]], output: [[4]], task: 'b' },
        { input: [[9, 9]], output: [[0]], task: 'b', split: 'test' },
        { input: [[1]], output: [[1]], task: 'a', split: 'test' },
      ]),
    );
    const run = await succeed(['jsonl', file, '--out', at('own')]);
    expect(run.stdout).toMatch(
      /train: 3 examples\ntest: 2 examples\n2 tasks\n.*3×2 cells: seq_len 6, vocab_size 11/,
    );
    expect(await readIdentifiers(at('own'))).toEqual(['<blank>', 'b', 'a']);
    const train = await setOf('own', 'train');
    expect(rows(train.inputs, 6)).toEqual(['1 8 0 0 0 0', '2 0 3 0 4 0', '6 0 0 0 0 0']);
    expect(rows(train.labels, 6)).toEqual(['2 3 0 0 0 0', '5 0 0 0 0 0', '7 0 0 0 0 0']);
    expect(train).toMatchObject({
      puzzleIdentifiers: Int32Array.of(1, 0),
      puzzleIndices: Int32Array.of(0, 2, 3),
      groupIndices: Int32Array.of(0, 1, 2),
    });
    expect((await setOf('own', 'test')).puzzleIdentifiers).toEqual(Int32Array.of(1, 2));
    expect((await readSplit(at('own'), 'train')).metadata.mean_puzzle_examples).toBe(1.5);
  });

  it('names what is wrong, by line and row', async () => {
    const file = write(
      'bad.jsonl',
      `{"input": [[1]], "output"\n${lines([
        [1],
        { input: [[1]] },
        { input: [[1, 2], [3]], output: [[1]] },
        { input: [[1]], output: [[1], [255]] },
        { input: [[1.5]], output: [[1]] },
        { input: [[1, 2, 3]], output: [[1]] },
        { input: [[1]], output: [[1]], split: 'valid' },
        { input: [[1]], output: [[1]], task: 7 },
        { input: [[1]], output: [[1]], Split: 'test' },
        { input: [], output: [[1]] },
      ])}`,
    );
    const { code, stderr } = await hrmData(['jsonl', file, '--size', '2', '--out', at('bad-jsonl')]);
    expect(code).toBe(1);
    for (const problem of [
      /line 1: is not valid JSON/,
      /line 2: expected an object/,
      /line 3: has no output/,
      /line 4: input is ragged: row 2 has 1 cells, row 1 has 2/,
      /line 5: output, row 2, column 1: 255, expected an integer from 0 to 254/,
      /line 6: input, row 1, column 1: 1\.5/,
      /line 7: input is of 1 rows and 3 columns, more than the 2×2/,
      /line 8: split is/,
      /line 9: task is 7/,
      /line 10: has the unknown key "Split"/,
      /line 11: input is no grid/,
    ]) {
      expect(stderr).toMatch(problem);
    }
    expect(existsSync(at('bad-jsonl'))).toBe(false);
  });
});

it('hrm data jsonl names the lines of grids that are too large', async () => {
  const grid = (rows: number, columns: number) => JSON.stringify(Array(rows).fill(Array(columns).fill(1)));
  const line = (input: string) => `{"input": ${input}, "output": [[1]]}\n`;
  const one = write('large.jsonl', line(grid(1, 1)) + line(grid(130, 130)));
  const refused = await hrmData(['jsonl', one, '--out', at('large')]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(
    /large\.jsonl: 1 bad line:\n {2}line 2: input is of 130 rows and 130 columns, more than 16384 cells\n/,
  );
  await succeed(['jsonl', one, '--skip-bad', '--out', at('large')]);
  const two = write('wide.jsonl', line(grid(1, 9)) + line(grid(200, 1)) + line(grid(2, 90)));
  expect((await hrmData(['jsonl', two, '--out', at('wide')])).stderr).toContain(
    'wide.jsonl: the 200 rows of line 2 and the 90 columns of line 3: 200×90 cells are more than 16384. Cut the',
  );
  expect((await hrmData(['jsonl', two, '--size', '129', '--out', at('wide')])).stderr).toContain(
    '--size 129: 129×129 cells are more than 16384',
  );
  expect(existsSync(at('wide'))).toBe(false);
});

describe('hrm data jsonl says what its grids are', () => {
  const latin = {
    input: [
      [1, 0, 0, 0],
      [0, 3, 0, 0],
      [0, 0, 1, 0],
      [4, 0, 0, 3],
    ],
    output: [
      [1, 2, 3, 4],
      [2, 3, 4, 1],
      [3, 4, 1, 2],
      [4, 1, 2, 3],
    ],
  };
  const file = (name: string, header: object | undefined, example: object = latin) =>
    write(name, [...(header ? [header] : []), example].map((line) => `${JSON.stringify(line)}\n`).join(''));

  it('as none, by the rule of the file, or by --task', async () => {
    const task = async (name: string) => (await readSplit(at(name), 'train')).metadata.task;
    await succeed(['jsonl', file('l0.jsonl', undefined), '--out', at('l0')]);
    expect(await task('l0')).toBe('none');
    await succeed(['jsonl', file('l1.jsonl', { rule: 'latin' }), '--out', at('l1')]);
    expect(await task('l1')).toBe('latin');
    await succeed(['jsonl', file('l2.jsonl', { rule: 'latin' }), '--task', 'sudoku', '--out', at('l2')]);
    expect(await task('l2')).toBe('sudoku');
    const { stdout } = await succeed(['show', at('l1')]);
    expect(stdout).toContain('  task latin\n');
    expect(stdout).toMatch(/^1 · · · +1 2 3 4$/m);
  });

  it('with symmetries, as permutations of tokens and cells', async () => {
    const mirrored = Array.from({ length: 16 }, (_, cell) => cell - (cell % 4) + 3 - (cell % 4));
    const symmetries = [{ name: 'mirrored', cells: mirrored }, { values: [0, 2, 3, 4, 1] }];
    await succeed(['jsonl', file('s.jsonl', { symmetries }), '--out', at('s')]);
    expect((await readSplit(at('s'), 'train')).metadata.symmetries).toEqual([
      { name: 'mirrored', cells: mirrored },
      { name: '2', tokens: [0, 1, 3, 4, 5, 2] },
    ]);
  });

  it.each<[string, object, string[], RegExp]>([
    ['r1', { rule: 'chess' }, [], /line 1: rule is "?.*chess.*, expected none, latin, sudoku, maze/],
    ['r2', { rule: 'latin', input: [[1]] }, [], /line 1: has the key "input" beside rule, symmetries/],
    ['r3', { rule: 'maze' }, ['--size', '5'], /its grids are no maze.*Nothing was written/],
    ['r4', {}, ['--task', 'arc'], /--task arc: expected none, latin, sudoku, maze/],
    [
      'r5',
      { symmetries: [{ values: [1, 0] }] },
      [],
      /symmetry 1: values are 2 numbers, expected a permutation of the 5 values/,
    ],
  ])('refuses what they are not: %s', async (name, header, options, message) => {
    const example = name === 'r3' ? { input: [[9]], output: [[9]] } : latin;
    const path = file(`${name}.jsonl`, Object.keys(header).length > 0 ? header : undefined, example);
    const { code, stderr } = await hrmData(['jsonl', path, '--out', at(name), ...options]);
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(existsSync(at(name))).toBe(false);
  });
});
