import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { main } from '../../../src/cli/main.ts';
import { readSplit } from '../../../src/data/dataset/dataset.node.ts';
import { IGNORED_LABEL } from '../../../src/data/dataset/dataset.ts';
import { testBatches } from '../../../src/data/dataset/sampler.ts';

let dir: string;
let output: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hrm-arc-'));
  await mkdir(join(dir, 'tasks/training'), { recursive: true });
  await mkdir(join(dir, 'tasks/evaluation'));
  output = '';
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((text) => {
      output += text;
      return true;
    });
  }
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(dir, { recursive: true });
});

const TASK = { train: [{ input: [[1, 2]], output: [[2], [3]] }], test: [{ input: [[0, 4]], output: [[5]] }] };
const write = (file: string, json: unknown) => writeFile(join(dir, 'tasks', file), JSON.stringify(json));
const arc = (...options: string[]) => main(['data', 'arc', join(dir, 'tasks'), ...options]);
const out = () => ['--out', join(dir, 'out')];

describe('hrm data arc', () => {
  it('builds a dataset', async () => {
    await write('training/a.json', TASK);
    await write('evaluation/b.json', TASK);
    expect(await arc(...out(), '--augment', '3', '--seed', '5')).toBe(0);
    expect(output).toMatch(/2 tasks, 8 puzzles with their copies\ntrain 12 examples, test 4\n/);
    expect((await readSplit(join(dir, 'out'), 'train')).metadata.total_groups).toBe(2);
    expect((await readSplit(join(dir, 'out'), 'test')).metadata.total_groups).toBe(1);
  });

  it('takes tasks to be solved without the outputs of their tests, and no others', async () => {
    const { output: _, ...question } = TASK.test[0];
    const hidden = { train: TASK.train, test: [...TASK.test, question] };
    await write('training/a.json', TASK);
    await mkdir(join(dir, 'tasks/test'));
    await write('test/b.json', hidden);
    expect(await arc(...out(), '--augment', '2')).toBe(0);
    const batches = [...testBatches(await readSplit(join(dir, 'out'), 'test'), 1)];
    // Of each of the three puzzles, the first test has labels and the second none.
    expect(batches.map(({ labels }) => labels.some((label) => label !== IGNORED_LABEL))).toEqual([
      ...[true, false, true, false, true, false],
    ]);
    await rm(join(dir, 'out'), { recursive: true });
    await write('training/c.json', hidden);
    output = '';
    expect(await arc(...out())).toBe(1);
    expect(output).toMatch(
      /training\/c\.json: test\[1\]\.output is missing, .* Only tasks in a folder 'evaluation' or 'test',.* may leave it out/,
    );
    expect(output.trim().split('\n')).toHaveLength(1);
  });

  it.each([
    [
      'a ragged grid',
      { ...TASK, test: [{ input: [[1], [1, 2]], output: [[1]] }] },
      'test[0].input[1] has 2 cells',
    ],
    [
      'a colour out of range',
      { ...TASK, test: [{ input: [[10]], output: [[1]] }] },
      'test[0].input[0][0] is "10"',
    ],
    [
      'a large grid',
      { ...TASK, test: [{ input: [[1]], output: Array(31).fill([1]) }] },
      'test[0].output has 31 rows',
    ],
    ['no test pairs', { train: TASK.train }, 'test is missing'],
  ])('names %s, writes nothing and fails', async (_, task, message) => {
    await write('training/a.json', TASK);
    await write('training/b.json', task);
    expect(await arc(...out())).toBe(1);
    expect(output).toContain(`error: ${join(dir, 'tasks/training/b.json')}: ${message}`);
    expect(output.trim().split('\n')).toHaveLength(1);
    expect(await readdir(dir)).toEqual(['tasks']);
  });

  it('wants folders, a new folder to make, and numbers', async () => {
    await write('training/a.json', TASK);
    expect(await main(['data', 'arc', ...out()])).toBe(1);
    expect(output).toContain('give one or more folders or files');
    expect(await arc()).toBe(1);
    expect(output).toContain('--out DIR');
    expect(await arc('--out', dir)).toBe(1);
    expect(output).toContain(`${dir}: exists already`);
    expect(await arc(...out(), '--augment', '-1')).toBe(1);
    expect(await arc(...out(), '--augment', 'x')).toBe(1);
    expect(output).toContain("--augment must be a whole number of at least 0, got 'x'");
    expect(await readdir(dir)).toEqual(['tasks']);
  });

  it('stops at Ctrl-C without leaving anything', async () => {
    for (let i = 0; i < 40; i++) await write(`training/${i}.json`, TASK);
    const running = arc(...out(), '--augment', '1000');
    await vi.waitUntil(async () => (await readdir(dir)).some((name) => name.includes('unfinished')), {
      interval: 1,
    });
    process.emit('SIGINT');
    expect(await running).toBe(130);
    expect(await readdir(dir)).toEqual(['tasks']);
  });
});
