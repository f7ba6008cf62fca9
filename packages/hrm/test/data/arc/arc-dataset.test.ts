import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '@hrm-webgpu/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  ARC_TOKENS,
  type ArcTask,
  cropGrid,
  drawGrid,
  type Grid,
  gridKey,
  gridRows,
  parseTask,
  UNKNOWN,
} from '../../../src/data/arc/arc.ts';
import { augmentGrid, inverse, parseName, TaskAugmenter } from '../../../src/data/arc/arc-augment.ts';
import { buildArcDataset } from '../../../src/data/arc/arc-dataset.node.ts';
import { readArcTasks } from '../../../src/data/arc/arc-source.node.ts';
import { ArcVote } from '../../../src/data/arc/arc-vote.ts';
import { readIdentifiers, readSplit } from '../../../src/data/dataset/dataset.node.ts';
import type { Split } from '../../../src/data/dataset/dataset.ts';
import { testBatches } from '../../../src/data/dataset/sampler.ts';
import type { TokenRows } from '../../../src/data/dataset/token-rows.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hrm-arc-'));
});
afterEach(() => rm(dir, { recursive: true }));

/** A grid in which, with `task` and `pair`, no two are alike and nothing is symmetric. */
const rows = (task: number, pair: number) => [
  [1, 2, 3],
  [task, pair, 4],
];
const taskJson = (task: number, train: number, test: number) => {
  const pairs = (from: number, count: number) =>
    Array.from({ length: count }, (_, i) => ({ input: rows(task, from + i), output: [[5, from + i, 6, 7]] }));
  return { train: pairs(0, train), test: pairs(train, test) };
};

/** Two tasks to train on, one for evaluation with two test pairs. */
async function makeTasks(): Promise<string> {
  const folder = join(dir, 'data');
  await mkdir(join(folder, 'training'), { recursive: true });
  await mkdir(join(folder, 'evaluation'));
  const write = (name: string, json: object) => writeFile(join(folder, name), JSON.stringify(json));
  await write('training/t1.json', taskJson(1, 3, 1));
  await write('training/t2.json', { name: 'renamed', ...taskJson(2, 2, 1) });
  await write('evaluation/e1.json', taskJson(3, 2, 2));
  await writeFile(join(folder, 'training/LICENSE'), 'not a task');
  return folder;
}

async function build(augment = 5, seed = 1) {
  const out = join(dir, 'out');
  const sources = await readArcTasks([await makeTasks()]);
  const counts = await buildArcDataset(out, sources, { augment, seed });
  return { out, counts, names: await readIdentifiers(out), sources };
}

/** The examples of each puzzle, by identifier. */
function puzzles(split: Split) {
  const { inputs, labels, puzzleIndices, puzzleIdentifiers } = split.sets.get('all')!;
  const canvas = (rows: TokenRows, example: number) => Uint8Array.from(rows.read(example));
  return [...puzzleIdentifiers].map((identifier, puzzle) => ({
    identifier,
    examples: Array.from({ length: puzzleIndices[puzzle + 1] - puzzleIndices[puzzle] }, (_, i) => ({
      input: canvas(inputs, puzzleIndices[puzzle] + i),
      label: canvas(labels, puzzleIndices[puzzle] + i),
    })),
  }));
}

/** The grid on a canvas and where it lies. */
function find(canvas: Uint8Array): { grid: Grid; top: number; left: number } {
  const at = canvas.findIndex((token) => token >= 2);
  const [top, left] = [Math.floor(at / 30), at % 30];
  const moved = new Uint8Array(900);
  for (let row = top; row < 30; row++) {
    moved.set(canvas.subarray(row * 30 + left, row * 30 + 30), (row - top) * 30);
  }
  return { grid: cropGrid(moved), top, left };
}

describe('buildArcDataset', () => {
  it('writes the published form', async () => {
    const { out, counts, names } = await build();
    expect((await readdir(out)).sort()).toEqual(['identifiers.json', 'test', 'train']);
    const [train, test] = [await readSplit(out, 'train'), await readSplit(out, 'test')];
    expect(counts).toEqual({ puzzles: 18, trainExamples: 54, testExamples: 12, incomplete: 0 });
    expect(train.metadata).toEqual({
      ...ARC_TOKENS,
      blank_identifier_id: 0,
      num_puzzle_identifiers: 19,
      total_groups: 3,
      mean_puzzle_examples: 3,
      sets: ['all'],
      task: 'arc',
    });
    expect(test.metadata).toEqual({ ...train.metadata, total_groups: 1, mean_puzzle_examples: 2 });
    expect([...train.sets.get('all')!.groupIndices]).toEqual([0, 6, 12, 18]);
    expect([...test.sets.get('all')!.groupIndices]).toEqual([0, 6]);
    // Both halves of an evaluation puzzle have its identifier.
    expect(names[0]).toBe('<blank>');
    expect(new Set(names).size).toBe(19);
    expect(puzzles(test).map(({ identifier }) => parseName(names[identifier]).task)).toEqual(
      Array(6).fill('e1'),
    );
    const trained = new Set(puzzles(train).map(({ identifier }) => identifier));
    expect(puzzles(test).every(({ identifier }) => trained.has(identifier))).toBe(true);
    expect(names.filter((name) => !parseName(name).augmentation)).toEqual(['<blank>', 'e1', 't1', 'renamed']);
  });

  it('stores what the names say', async () => {
    const { out, names, sources } = await build();
    const tasks = new Map(sources.map(({ task }) => [task.name, task]));
    for (const split of ['train', 'test']) {
      for (const { identifier, examples } of puzzles(await readSplit(out, split))) {
        const { task, augmentation } = parseName(names[identifier]);
        const { train, test } = tasks.get(task)!;
        const pairs = split === 'test' ? test : task === 'e1' ? train : [...train, ...test];
        const undo = (canvas: Uint8Array) => {
          const { grid } = find(canvas);
          return augmentation ? augmentGrid(grid, inverse(augmentation)) : grid;
        };
        expect(examples.map(({ input, label }) => ({ input: undo(input), output: undo(label) }))).toEqual(
          pairs,
        );
        expect(augmentation?.colours[0] ?? 0).toBe(0);
      }
    }
  });

  it('moves training pairs, input and output alike, but one of each puzzle; never test pairs', async () => {
    const { out } = await build(100);
    const places = new Set<number>();
    let still = 0;
    for (const { examples } of puzzles(await readSplit(out, 'train'))) {
      const at = examples.map(({ input, label }) => {
        const { grid, top, left } = find(input);
        const output = find(label);
        expect([output.top, output.left]).toEqual([top, left]);
        // Both fit wherever they are, with their markers.
        for (const [canvas, of] of [
          [input, grid],
          [label, output.grid],
        ] as const) {
          const expected = new Uint8Array(900);
          drawGrid(of, expected, top, left);
          expect(Buffer.compare(canvas, expected)).toBe(0);
        }
        return 30 * top + left;
      });
      expect(at).toContain(0);
      still += at.filter((place) => place === 0).length;
      for (const place of at) places.add(place);
    }
    // 303 puzzles keep one pair each; of the other 606, one in 27 · 27 at most stays by chance.
    expect(still).toBeGreaterThanOrEqual(303);
    expect(still).toBeLessThan(303 + 15);
    expect(places.size).toBeGreaterThan(300);
    for (const { examples } of puzzles(await readSplit(out, 'test'))) {
      for (const { input, label } of examples) expect([input[0] > 1, label[0] > 1]).toEqual([true, true]);
    }
  });

  it('makes the same of the same seed, something else of another', async () => {
    const first = await build(5, 1);
    const once = [first.names, puzzles(await readSplit(first.out, 'train'))];
    await rm(dir, { recursive: true });
    const second = await build(5, 1);
    expect([second.names, puzzles(await readSplit(second.out, 'train'))]).toEqual(once);
    await rm(dir, { recursive: true });
    expect((await build(5, 2)).names).not.toEqual(first.names);
  });

  it('is scored by its own names: right answers of all copies solve every task', async () => {
    const { out, names, sources } = await build();
    const split = await readSplit(out, 'test');
    const vote = new ArcVote(names);
    for (const batch of testBatches(split, 5)) {
      batch.puzzleIdentifiers.forEach((puzzleIdentifier, row) => {
        const of = (tokens: Int32Array) => tokens.subarray(900 * row, 900 * (row + 1));
        const { inputs, labels } = batch;
        vote.add({
          puzzleIdentifier,
          input: of(inputs),
          label: of(labels),
          prediction: of(labels),
          qHalt: 0,
        });
      });
    }
    const tasks = new Map([['e1', [true]]]);
    expect(vote.score([1])).toEqual({ ks: [1], solved: [1], tasks, unscored: 0, partial: 0 });
    const answers = sources[0].task.test.map(({ output }) => gridRows(output));
    expect(vote.submission()).toEqual({
      e1: answers.map((answer) => ({ attempt_1: answer, attempt_2: answer })),
    });
  });

  it('has no test split without tasks for evaluation', async () => {
    const sources = (await readArcTasks([await makeTasks()])).filter(({ evaluation }) => !evaluation);
    await buildArcDataset(join(dir, 'out'), sources, { augment: 0, seed: 0 });
    expect((await readdir(join(dir, 'out'))).sort()).toEqual(['identifiers.json', 'train']);
  });

  it('leaves nothing behind when it is stopped', async () => {
    const sources = await readArcTasks([await makeTasks()]);
    const stop = new AbortController();
    const options = { augment: 5, seed: 0, signal: stop.signal, onProgress: () => stop.abort() };
    const error = await buildArcDataset(join(dir, 'out'), sources, options).catch((reason) => reason);
    expect(error).toBe(stop.signal.reason);
    expect(await readdir(dir)).toEqual(['data']);
  });
});

describe('TaskAugmenter', () => {
  const pairKeys = ({ train, test }: ArcTask) =>
    [...train, ...test].map(({ input, output }) => gridKey(input) + gridKey(output)).sort();

  it('gives different copies, none equal to the task', () => {
    const task = parseTask(taskJson(1, 3, 1), 'a.json', 'a');
    const copies = [...new TaskAugmenter(3).copies(task, 200)];
    expect(copies).toHaveLength(200);
    expect(new Set([task, ...copies].map((copy) => pairKeys(copy).join('|'))).size).toBe(201);
  });

  it('knows a task by its pairs, in whatever order', () => {
    // Mirror images of each other: mirroring only swaps the two pairs.
    const pair = (row: number[]) => ({ input: [row], output: [[0]] });
    const json = { train: [pair([0, 1])], test: [pair([1, 0])] };
    const task = parseTask(json, 'a.json', 'a');
    const copies = [...new TaskAugmenter(0).copies(task, 100)];
    // Lying or standing (transposed), nine colours each, and not the task itself.
    expect(copies).toHaveLength(17);
  });

  it('stops after five tries for each copy', () => {
    const blank = { input: [[0]], output: [[0]] };
    const task = parseTask({ train: [blank], test: [blank] }, 'a.json', 'a');
    expect([...new TaskAugmenter(0).copies(task, 10)]).toEqual([]);
  });
});

describe('readArcTasks', () => {
  const expectError = async (promise: Promise<unknown>, message: RegExp) => {
    const error = await promise.then(
      () => undefined,
      (reason) => reason,
    );
    expect(error).toBeInstanceOf(UserError);
    expect(error.message).toMatch(message);
  };

  it('reads folders in order and tells evaluation tasks', async () => {
    const found = (await readArcTasks([await makeTasks()])).map(({ task, evaluation }) => [
      task.name,
      evaluation,
    ]);
    expect(found).toEqual([
      ['e1', true],
      ['t1', false],
      ['renamed', false],
    ]);
  });

  const named = async (...paths: string[]) =>
    (await readArcTasks(paths)).map(({ task, evaluation }) => [task.name, evaluation]);

  it('reads folders without sub-folders, and files; the name of the folder tells evaluation tasks', async () => {
    const folder = await makeTasks();
    expect(await named(join(folder, 'training'))).toEqual([
      ['t1', false],
      ['renamed', false],
    ]);
    const e1 = [['e1', true]];
    expect(await named(join(folder, 'evaluation'))).toEqual(e1);
    expect(await named(join(folder, 'evaluation/e1.json'))).toEqual(e1);
    expect(await named(join(folder, 'evaluation/../training/t1.json'))).toEqual([['t1', false]]);
  });

  it('reads pairs alone, all to train on, wherever they lie', async () => {
    const folder = await makeTasks();
    await writeFile(join(folder, 'evaluation/p.json'), JSON.stringify(taskJson(4, 5, 1).train));
    const sources = await readArcTasks([join(folder, 'evaluation')]);
    expect(sources.map(({ task, evaluation }) => [task.name, evaluation, task.train.length])).toEqual([
      ['e1', true, 2],
      ['p', false, 5],
    ]);
    const counts = await buildArcDataset(join(dir, 'out'), sources, { augment: 3, seed: 0 });
    expect(counts).toMatchObject({ puzzles: 8, trainExamples: 4 * (2 + 5), testExamples: 4 * 2 });
  });

  /** The tasks of `makeTasks` as the ARC Prize publishes them. */
  async function makeChallenges(): Promise<string> {
    const prize = join(dir, 'prize');
    await mkdir(prize);
    const write = (name: string, json: object) => writeFile(join(prize, name), JSON.stringify(json));
    const split = async (name: string, tasks: Record<string, ReturnType<typeof taskJson>>) => {
      const questions = Object.entries(tasks).map(([id, { train, test }]) => [
        id,
        { test: test.map(({ input }) => ({ input })), train },
      ]);
      const outputs = Object.entries(tasks).map(([id, { test }]) => [id, test.map(({ output }) => output)]);
      await write(`arc-agi_${name}_challenges.json`, Object.fromEntries(questions));
      await write(`arc-agi_${name}_solutions.json`, Object.fromEntries(outputs));
    };
    await split('training', { renamed: taskJson(2, 2, 1), t1: taskJson(1, 3, 1) });
    await split('evaluation', { e1: taskJson(3, 2, 2) });
    await write('sample_submission.json', { e1: [{ attempt_1: [[0]], attempt_2: [[0]] }] });
    return prize;
  }

  it("reads the ARC Prize's files, with the solutions beside them, as the tasks that they hold", async () => {
    const prize = await makeChallenges();
    const single = await readArcTasks([await makeTasks()]);
    const byName = (sources: typeof single) =>
      [...sources].sort((a, b) => (a.task.name < b.task.name ? -1 : 1));
    expect(byName(await readArcTasks([prize]))).toEqual(byName(single));
    const evaluation = join(prize, 'arc-agi_evaluation_challenges.json');
    expect(await readArcTasks([evaluation])).toEqual(single.slice(0, 1));
    // Without solutions the outputs are not known, where they need not be.
    await rm(join(prize, 'arc-agi_evaluation_solutions.json'));
    const [{ task }] = await readArcTasks([evaluation]);
    expect(task.test.map(({ output }) => output)).toEqual([UNKNOWN, UNKNOWN]);
    await rm(join(prize, 'arc-agi_training_solutions.json'));
    await expectError(
      readArcTasks([join(prize, 'arc-agi_training_challenges.json')]),
      /training_challenges\.json, task "renamed": test\[0\]\.output is missing.*\*_solutions\.json beside/,
    );
    await writeFile(join(prize, 'arc-agi_test_challenges.json'), JSON.stringify({ q: taskJson(5, 1, 1) }));
    expect(await named(join(prize, 'arc-agi_test_challenges.json'))).toEqual([['q', true]]);
  });

  it('refuses solutions alone, and those of other tasks', async () => {
    const prize = await makeChallenges();
    const solutions = join(prize, 'arc-agi_training_solutions.json');
    await expectError(readArcTasks([solutions]), /holds outputs alone\. Give the file of the challenges/);
    await writeFile(solutions, JSON.stringify({ other: [[[1]]] }));
    await expectError(readArcTasks([prize]), /training_solutions\.json: "other" is none of the tasks/);
  });

  it('names what is wrong', async () => {
    const folder = await makeTasks();
    await expectError(
      readArcTasks([join(folder, 'nowhere')]),
      /nowhere: cannot read: no such file or folder/,
    );
    await mkdir(join(dir, 'empty'));
    await expectError(
      readArcTasks([join(dir, 'empty')]),
      /empty: holds no tasks\. Expected .*empty\/<any name>\/\*\.json.* or .*empty\/\*\.json/,
    );
    await expectError(readArcTasks([folder, folder]), /e1\.json: the task "e1" is in .*e1\.json already/);
    await writeFile(join(folder, 'training/t3.json'), '{"train": 1');
    await expectError(readArcTasks([folder]), /training\/t3\.json: is not valid JSON/);
    await writeFile(join(folder, 'training/t3.json'), JSON.stringify({ ...taskJson(3, 1, 1), test: [] }));
    await expectError(readArcTasks([folder]), /training\/t3\.json: test is "\[\]"/);
    await writeFile(
      join(folder, 'training/t3.json'),
      JSON.stringify({ ...taskJson(3, 1, 1), name: 'renamed' }),
    );
    await expectError(readArcTasks([folder]), /t3\.json: the task "renamed" is in .*t2\.json already/);
    const augmented = { ...taskJson(3, 1, 1), name: 'x_t1_0123456789' };
    await writeFile(join(folder, 'training/t3.json'), JSON.stringify(augmented));
    await expectError(readArcTasks([folder]), /t3\.json: the task's name "x_t1_0123456789" ends as/);
  });
});
