/** `hrm eval` as people run it. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drawGrid, type Grid } from '../packages/hrm/src/data/arc/arc.ts';
import { augmentGrid, parseName } from '../packages/hrm/src/data/arc/arc-augment.ts';
import { writeIdentifiers, writeSplit } from '../packages/hrm/src/data/dataset/dataset.node.ts';
import type { DatasetMetadata, Split } from '../packages/hrm/src/data/dataset/dataset.ts';
import { tokenRows } from '../packages/hrm/src/data/dataset/token-rows.ts';
import { fileSource } from '../packages/hrm/src/formats/files/file-source.node.ts';
import { encodeSafetensors, openSafetensors } from '../packages/hrm/src/formats/safetensors.ts';
import { parameterShapes } from '../packages/hrm/src/model/parameters.ts';
import { parseModelConfig } from '../packages/hrm/src/model/parse-config.ts';
import { ruleWeight } from '../packages/hrm/src/parity/rule-weights.ts';
import { formatMetadata } from '../packages/hrm/src/training/checkpoint.ts';
import { hrm } from './run-hrm.ts';

const folder = mkdtempSync(join(tmpdir(), 'hrm-eval-'));
afterAll(() => rmSync(folder, { recursive: true }));

const trained = join(import.meta.dirname, 'fixtures', 'trained-6x6');
const sudoku = join(folder, 'sudoku');
const COUNT = 8;

/** A split of one set whose examples are a puzzle each. */
function split(
  { vocab_size, seq_len, pad = null }: { vocab_size: number; seq_len: number; pad?: number | null },
  inputs: Int32Array,
  labels: Int32Array,
  identifiers = new Int32Array(inputs.length / seq_len),
): Split {
  const count = identifiers.length;
  const offsets = Int32Array.from({ length: count + 1 }, (_, i) => i);
  const metadata: DatasetMetadata = {
    ...{ pad_id: 0, ignore_label_id: pad, blank_identifier_id: 0, vocab_size, seq_len },
    ...{ num_puzzle_identifiers: Math.max(...identifiers) + 1, total_groups: count, mean_puzzle_examples: 1 },
    sets: ['all'],
  };
  const set = {
    inputs: tokenRows(inputs, seq_len),
    labels: tokenRows(labels, seq_len),
    puzzleIdentifiers: identifiers,
    puzzleIndices: offsets,
    groupIndices: offsets,
  };
  return { metadata, sets: new Map([['all', set]]) };
}

/** An untrained model for such data. */
function writeModel(name: string, sizes: Record<string, number>): string {
  const config = parseModelConfig(
    {
      ...{ hidden_size: 32, num_heads: 2, H_layers: 1, L_layers: 1, puzzle_emb_ndim: 32, halt_max_steps: 2 },
      ...{ H_cycles: 1, L_cycles: 1, forward_dtype: 'float32', ...sizes },
    },
    'test',
  );
  const tensors = new Map(
    [...parameterShapes(config)].map(([key, shape]) => [
      key,
      { dtype: 'F32' as const, shape, data: ruleWeight(key, shape) },
    ]),
  );
  const path = join(folder, `${name}.safetensors`);
  writeFileSync(path, Buffer.concat(encodeSafetensors(tensors, formatMetadata({ config }))));
  return path;
}

beforeAll(async () => {
  const file = await openSafetensors(await fileSource(join(trained, 'predictions.safetensors')));
  const read = async (name: string) => Int32Array.from((await file.readF32(name)).subarray(0, COUNT * 36));
  const sizes = { vocab_size: 8, seq_len: 36, pad: 0 };
  await writeSplit(sudoku, 'test', split(sizes, await read('inputs'), await read('labels')));
  await writeIdentifiers(sudoku, ['<blank>']);
  await file.close();
});

const evaluate = (model: string, data: string, ...options: string[]) =>
  hrm(['eval', model, '--data', data, '--no-tune', ...options]);

describe('hrm eval', () => {
  it('gives one JSON document with everything in it', async () => {
    const { code, stdout } = await evaluate(trained, sudoku, '--json', '--per-segment', '--batch', '5');
    expect(code).toBe(0);
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({
      ...{ checkpoint: trained, data: sudoku, split: 'test', examples: COUNT, sample: null },
      ...{ max_steps: 4, act: false, count: COUNT, steps: 4 },
    });
    expect(result.exact_accuracy).toBe(result.exact / COUNT);
    expect(result.exact).toBeGreaterThanOrEqual(COUNT - 1);
    const [low, high] = result.intervals.exact_accuracy;
    expect(low).toBeLessThan(result.exact_accuracy);
    expect(high).toBeGreaterThanOrEqual(result.exact_accuracy);
    expect(result.per_segment).toHaveLength(4);
    expect(result.per_segment[3].exact).toBe(result.exact);
    // A proper puzzle has one solution, so that answers are exact just where they are valid.
    expect(result.sudoku.valid).toMatchObject({ count: result.exact, of: COUNT });
  });

  it('halts early, on a sample, and says so', async () => {
    const { code, stdout } = await evaluate(
      ...([trained, sudoku, '--act', '--max-steps', '6', '--sample', '5', '--seed', '3'] as const),
    );
    expect(code).toBe(0);
    expect(stdout).toContain(
      'a random sample of 5 of 8 examples (seed 3), halting by q, after 6 segments at',
    );
    expect(stdout).toMatch(/^exact accuracy +\d+\.\d % \(\d\/5\) +95 %: \d+\.\d to \d+\.\d %$/m);
    const mean = Number(stdout.match(/^segments +([\d.]+)/m)?.[1]);
    expect(mean).toBeGreaterThanOrEqual(1);
    expect(mean).toBeLessThan(4);
    expect(stdout).toMatch(/^broken rules +\d+\.\d % \(\d\/5\)/m);
  });

  it('makes guesses, and tells what they are worth', async () => {
    const args = [trained, sudoku, '--guesses', '4', '--seed', '2'] as const;
    const { code, stdout } = await evaluate(...args, '--json');
    expect(code).toBe(0);
    const { guesses, exact_accuracy } = JSON.parse(stdout);
    expect(guesses).toMatchObject({ count: 4, rule: 'auto', single: exact_accuracy, selected: 1, oracle: 1 });
    expect(guesses.by_count).toBeUndefined();
    expect(guesses.segments).toBeLessThan(8);
    const other = writeModel('six', { vocab_size: 8, seq_len: 36, num_puzzle_identifiers: 1 });
    const all = await evaluate(
      ...args,
      '--all-guesses',
      '--noise',
      '0.3',
      '--symmetries',
      'none',
      '--select',
      'vote',
    );
    expect(all.stdout).toMatch(/^selected \(vote\) +\d+\.\d % \(\d\/8\)/m);
    expect(all.stdout).toMatch(/^oracle .* uses the labels$/m);
    expect(all.stdout).toMatch(/^guesses +selected +oracle +rules +halt-first +best-q +steady +vote$/m);
    expect(all.stdout).toMatch(/^4 .*%$/m);
    for (const line of all.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    const mixed = await evaluate(...args, '--checkpoints', other);
    expect(mixed.stderr).toMatch(
      /error: .*six.* has hidden_size 32, and .*trained-6x6 \d+: checkpoints that guess/,
    );
  });

  it('takes a checker from a module for a task of its own', async () => {
    const tokens = Int32Array.from({ length: 6 }, (_, i) => 1 + (i % 3));
    const data = join(folder, 'own');
    await writeSplit(data, 'test', split({ vocab_size: 9, seq_len: 6 }, tokens, tokens));
    const model = writeModel('own', { vocab_size: 9, seq_len: 6, num_puzzle_identifiers: 1 });
    const check = join(folder, 'check.mjs');
    writeFileSync(check, 'export default (puzzle, answer) => puzzle.length === answer.length;');
    const args = [model, data, '--guesses', '3', '--noise', '1', '--select', 'rules'] as const;
    const { stdout } = await evaluate(...args, '--check', check, '--json');
    expect(JSON.parse(stdout).guesses.decided).toEqual({ rules: 1 });
    expect((await evaluate(...args)).stderr).toMatch(
      /selection by rules needs a checker, and the task 'none' has none/,
    );
    writeFileSync(check, 'export default () => 1;');
    expect((await evaluate(...args, '--check', check)).stderr).toMatch(
      /check\.mjs: returns number, expected true or false/,
    );
  });

  it('checks the paths of mazes', async () => {
    const rows = ['S #G', '  # ', '    ', '####'];
    const tokens = Int32Array.from(rows.join(''), (cell) => '# SGo'.indexOf(cell) + 1);
    const data = join(folder, 'maze');
    await writeSplit(data, 'test', split({ vocab_size: 6, seq_len: 16 }, tokens, tokens));
    const model = writeModel('maze', { vocab_size: 6, seq_len: 16, num_puzzle_identifiers: 1 });
    const { code, stdout } = await evaluate(model, data, '--task', 'maze', '--json');
    expect(code).toBe(0);
    const { maze } = JSON.parse(stdout);
    expect(Object.keys(maze)).toEqual(['valid_path', 'optimal_path', 'through_walls', 'changed_maze']);
    expect(maze.valid_path.of).toBe(1);
  });

  it('lets augmentations of ARC tasks vote, and writes a submission', async () => {
    const names = ['<blank>', 'a', 'a_t1_0213456789', 'b'];
    const original: Grid = { rows: 2, columns: 2, cells: Uint8Array.of(1, 2, 0, 3) };
    const canvas = new Int32Array(3 * 900);
    for (const [row, name] of names.slice(1).entries()) {
      const { augmentation } = parseName(name);
      const bytes = new Uint8Array(900);
      drawGrid(augmentation ? augmentGrid(original, augmentation) : original, bytes);
      canvas.set(bytes, 900 * row);
    }
    const data = join(folder, 'arc');
    const sizes = { vocab_size: 12, seq_len: 900, pad: 0 };
    await writeSplit(data, 'test', split(sizes, canvas, canvas, Int32Array.of(1, 2, 3)));
    await writeIdentifiers(data, names);
    const model = writeModel('arc', { vocab_size: 12, seq_len: 900, num_puzzle_identifiers: 4 });
    const file = join(folder, 'submission.json');
    for (const [path, message] of [
      [join(folder, 'none', 'x.json'), /there is no folder/],
      [folder, /is a folder/],
    ] as const) {
      const refused = await evaluate(model, data, '--submission', path);
      expect(refused).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(message) });
    }
    expect(await evaluate(model, data, '--submission', file, '--sample', '2')).toMatchObject({
      ...{ code: 1, stderr: expect.stringMatching(/needs all examples/) },
    });
    expect(existsSync(file)).toBe(false);
    const run = await evaluate(model, data, '--max-steps', '1', '--submission', file, '--json');
    expect(run.code).toBe(0);
    const { arc, steps } = JSON.parse(run.stdout);
    expect(steps).toBe(1);
    expect(Object.keys(arc)).toEqual([1, 2, 10, 100, 1000].map((k) => `solved_at_${k}`));
    expect(arc.solved_at_2.of).toBe(2);
    const submission = JSON.parse(readFileSync(file, 'utf8'));
    expect(Object.keys(submission)).toEqual(['a', 'b']);
    expect(submission.a).toEqual([{ attempt_1: expect.any(Array), attempt_2: expect.any(Array) }]);
  });

  it('ends at Ctrl-C with 130 and writes nothing', async () => {
    let stopped = false;
    const stop = (kill: (signal: NodeJS.Signals) => void) => {
      if (!stopped) kill('SIGINT');
      stopped = true;
    };
    // Hours of work. Most adapters say something on stderr when they are opened; five seconds are enough to get there.
    const { code, stdout, stderr } = await hrm(
      ['eval', trained, '--data', sudoku, '--no-tune', '--max-steps', '1000000', '--json'],
      { onStderr: (_, kill) => stop(kill), onStart: (kill) => setTimeout(stop, 5000, kill) },
    );
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    expect(stderr).toMatch(/interrupted/);
  });

  it('refuses what makes no sense in one line', async () => {
    const before = readdirSync(folder).sort();
    const cases: [string[], RegExp][] = [
      [[trained], /--data DIR/],
      [[trained, '--data', join(folder, 'none')], /not found/],
      [[trained, '--data', sudoku, '--act', '--per-segment'], /leave it or --act out/],
      [[trained, '--data', sudoku, '--max-steps', '0'], /--max-steps must be a whole number/],
      [[trained, '--data', sudoku, '--sample', 'x'], /--sample must be a whole number/],
      [[trained, '--data', sudoku, '--seed', '1'], /--sample N/],
      [[trained, '--data', sudoku, '--task', 'arc'], /36 tokens of 8 kinds are no arc/],
      [[trained, '--data', sudoku, '--task', 'chess'], /expected sudoku/],
      [[trained, '--data', sudoku, '--submission', join(folder, 'x.json')], /is for ARC/],
    ];
    const runs = await Promise.all(cases.map(([args]) => hrm(['eval', ...args])));
    for (const [i, { code, stdout, stderr }] of runs.entries()) {
      expect(stderr).toMatch(cases[i][1]);
      expect(
        stderr
          .trim()
          .split('\n')
          .filter((text) => !text.startsWith('Warning:')),
      ).toHaveLength(1);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    }
    expect(readdirSync(folder).sort()).toEqual(before);
  });

  it('refuses data that the model was not made for, before a device is opened', async () => {
    const tokens = (count: number) => new Int32Array(count).fill(1);
    const write = async (
      name: string,
      sizes: { vocab_size: number; seq_len: number },
      ids = Int32Array.of(0),
    ) => {
      const dir = join(folder, name);
      await writeSplit(dir, 'test', split(sizes, tokens(sizes.seq_len), tokens(sizes.seq_len), ids));
      return dir;
    };
    const small = await write('4x4', { vocab_size: 6, seq_len: 16 }, Int32Array.of(4));
    const short = await write('short', { vocab_size: 8, seq_len: 35 });
    const named = await write('named', { vocab_size: 8, seq_len: 36 }, Int32Array.of(4));
    const sized = writeModel('sized', { vocab_size: 8, seq_len: 36, num_puzzle_identifiers: 1 });
    const tiny = join(import.meta.dirname, 'fixtures', 'tiny-rope');
    const untold = 'the checkpoint does not tell its seq_len';
    const cases: [model: string, data: string, message: string][] = [
      [sized, short, 'seq_len is 35 instead of 36. Use'],
      [sized, named, 'num_puzzle_identifiers is 5 instead of at most 1. Use'],
      [
        ...([sized, small] as const),
        'vocab_size is 6 instead of 8, seq_len is 16 instead of 36, num_puzzle_identifiers is 5 instead of at most 1. Use',
      ],
      [trained, short, `seq_len is 35 instead of 36 (${untold}; 36 is what goes with vocab_size 8). Use`],
      [
        ...([trained, small] as const),
        'vocab_size is 6 instead of 8, seq_len is 16 instead of 36, num_puzzle_identifiers is 5 instead of at most 1 ' +
          `(${untold}; 36 is what goes with vocab_size 8). Use`,
      ],
      [tiny, sudoku, `vocab_size is 8 instead of 7 (${untold}). Use`],
    ];
    const env = { VK_DRIVER_FILES: '/nonexistent.json' };
    const runs = await Promise.all(
      cases.map(([model, data]) => hrm(['eval', model, '--data', data], { env })),
    );
    for (const [i, { code, stdout, stderr }] of runs.entries()) {
      const [model, data, message] = cases[i];
      expect(stderr).toContain(
        `${data}/test/dataset.json does not go with the model of ${model}: ${message}`,
      );
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    }
  });
});
