import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { main } from '../packages/hrm/src/cli/main.ts';
import { readIdentifiers, readSplit } from '../packages/hrm/src/data/dataset.node.ts';
import { MazeDistances, markShortestPath } from '../packages/hrm/src/data/maze.ts';
import { parseNpy } from '../packages/hrm/src/data/npy.ts';
import { rulesBroken, sudokuGrid, sudokuShape } from '../packages/hrm/src/data/sudoku.ts';
import { type HrmResult, hrm } from './run-hrm.ts';

// Before the terminal's colours are decided on.
vi.hoisted(() => {
  process.env.NO_COLOR = '1';
});

const folder = mkdtempSync(join(tmpdir(), 'hrm-data-'));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);
const write = (name: string, contents: string | Uint8Array) => {
  writeFileSync(at(name), contents);
  return at(name);
};

/** Of the forum's list of the hardest (2019-05), and the answer of the first. */
const HARD = [
  '98.7..6..75..4......3..8.7.5....7.3...94.........2.1..3.......1.9...5.8...52....6',
  '98.7..6..7.....5....4.8..9.4...3..7..7...2.....31....53....61...4..9..3.........2',
  '98.7..6..7..5..94.....6....47...3....2...5.....96..4..2...5..1..9.8..2....8.....6',
];
/** 4×4 puzzles with their answers and made-up ratings. */
const FOUR = [
  ['12..34....43..21', '1234341221434321', 3],
  ['.234341221434321', '1234341221434321', 1],
  ['1234..1221434321', '1234341221434321', 2],
  ['12343412..434321', '1234341221434321', 9],
];
const table = (rows: unknown[][]) =>
  `source,question,answer,rating\n${rows.map((row) => `"a, b",${row.join(',')}\n`).join('')}`;
const MAZE_ROW = 'maze,"S #     G","So# oo  G",4\n';

/** The one set of a split, after all checks of reading, with all its tokens. */
async function setOf(dir: string, split: string) {
  const { sets, close } = await readSplit(at(dir), split);
  const [set] = sets.values();
  const [inputs, labels] = [set.inputs, set.labels].map((rows) => rows.read(0, rows.count).slice());
  close();
  return { ...set, inputs, labels };
}
type WholeSet = Awaited<ReturnType<typeof setOf>>;
const rows = (tokens: ArrayLike<number>, length: number) =>
  Array.from({ length: tokens.length / length }, (_, i) =>
    Array.from({ length }, (_, j) => tokens[i * length + j]).join(' '),
  );
const tokensOf = (grid: string) => Array.from(grid, (character) => (Number(character) || 0) + 1).join(' ');

/** Runs `hrm data` in this process: starting one takes longer than most of what is tested here. */
async function hrmData(args: readonly string[]): Promise<HrmResult> {
  const written = { stdout: '', stderr: '' };
  const spies = (['stdout', 'stderr'] as const).map((stream) =>
    vi.spyOn(process[stream], 'write').mockImplementation((text) => {
      written[stream] += text;
      return true;
    }),
  );
  try {
    return { code: await main(['data', ...args]), stdout: written.stdout, stderr: written.stderr };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

async function succeed(args: string[]): Promise<HrmResult> {
  const run = await hrmData(args);
  expect(run).toMatchObject({ code: 0 });
  return run;
}

describe('hrm data sudoku', () => {
  it('builds train and test from published tables, files exactly as published', async () => {
    const csv = write('train.csv', table(FOUR));
    const test = write('test.csv', table(FOUR.slice(1)));
    const args = ['--csv', csv, '--test-csv', test, '--size', '4', '--min-difficulty', '2', '--augment', '5'];
    const run = await succeed(['sudoku', ...args, '--out', at('tables')]);
    expect(run.stdout).toMatch(/train: 3 puzzles, 18 examples with their copies\ntest: 2 puzzles\n/);

    expect(await readIdentifiers(at('tables'))).toEqual(['<blank>']);
    expect(JSON.parse(readFileSync(at('tables/train/dataset.json'), 'utf8'))).toEqual({
      pad_id: 0,
      ignore_label_id: 0,
      blank_identifier_id: 0,
      vocab_size: 6,
      seq_len: 16,
      num_puzzle_identifiers: 1,
      total_groups: 3,
      mean_puzzle_examples: 1,
      sets: ['all'],
    });
    const npy = (file: string) => parseNpy(new Uint8Array(readFileSync(at(`tables/${file}.npy`))), file);
    expect(npy('train/all__inputs')).toMatchObject({ dtype: 'uint8', shape: [18, 16] });
    expect(npy('train/all__labels')).toMatchObject({ dtype: 'uint8', shape: [18, 16] });
    expect(npy('train/all__puzzle_identifiers')).toMatchObject({ dtype: 'int32', shape: [18] });
    expect(npy('train/all__puzzle_indices')).toMatchObject({ dtype: 'int32', shape: [19] });
    expect([...npy('train/all__group_indices').data]).toEqual([0, 6, 12, 18]);

    // A group is the original first; what has a rating below 2 is left out; tests are not augmented.
    const train = await setOf('tables', 'train');
    const kept = FOUR.filter(([, , rating]) => Number(rating) >= 2);
    const inputs = rows(train.inputs, 16);
    expect([0, 6, 12].map((row) => inputs[row])).toEqual(
      kept.map(([question]) => tokensOf(String(question))),
    );
    expect(new Set(inputs.slice(0, 6)).size).toBeGreaterThan(3);
    for (const label of rows(train.labels, 16)) {
      expect(rulesBroken(sudokuShape(4), sudokuGrid(label.split(' ').map(Number)))).toEqual([]);
    }
    const held = await setOf('tables', 'test');
    expect(rows(held.inputs, 16)).toEqual(kept.slice(1).map(([question]) => tokensOf(String(question))));
  });

  it('subsamples for training only, the same for the same seed', async () => {
    const csv = write('many.csv', table(Array.from({ length: 40 }, (_, i) => FOUR[i % 4])));
    const args = [
      'sudoku',
      '--csv',
      csv,
      '--test-csv',
      csv,
      '--size',
      '4',
      '--subsample',
      '8',
      '--augment',
      '2',
    ];
    for (const [out, seed] of [
      ['s1', '1'],
      ['s1again', '1'],
      ['s2', '2'],
    ]) {
      await succeed([...args, '--seed', seed, '--out', at(out)]);
    }
    const [one, again, two] = await Promise.all(['s1', 's1again', 's2'].map((out) => setOf(out, 'train')));
    expect(one.inputs).toEqual(again.inputs);
    expect(one.inputs).not.toEqual(two.inputs);
    expect(one.groupIndices).toEqual(Int32Array.of(0, 3, 6, 9, 12, 15, 18, 21, 24));
    expect((await setOf('s1', 'test')).groupIndices).toHaveLength(41);
  });

  it('solves puzzle lists and keeps some for the test', async () => {
    const list = write(
      'hard.txt',
      `# the hardest\n\n${HARD.join('\r\n')}\r\n${HARD[0].replaceAll('.', '0')}\n`,
    );
    await succeed(['sudoku', '--puzzles', list, '--test', '1', '--out', at('list')]);
    const train = await setOf('list', 'train');
    const test = await setOf('list', 'test');
    // The first puzzle stands there twice: whichever is drawn, no puzzle is in both.
    const trained = new Set(rows(train.inputs, 81));
    expect(rows(test.inputs, 81).some((row) => trained.has(row))).toBe(false);
    expect([...trained, ...rows(test.inputs, 81)].every((row) => HARD.map(tokensOf).includes(row))).toBe(
      true,
    );
    for (const set of [train, test]) {
      expect(rulesBroken(sudokuShape(9), sudokuGrid(set.labels.subarray(0, 81)))).toEqual([]);
      expect(set.labels.every((token, cell) => token > 1 && [1, token].includes(set.inputs[cell]))).toBe(
        true,
      );
    }
  });

  it('lists what is wrong with every line, and leaves bad ones out when asked to', async () => {
    const several = `.${HARD[0].slice(1)}`;
    const bad = [several, `9${'.'.repeat(7)}9${'.'.repeat(72)}`, '123', HARD[1].replace('9', 'x')];
    const list = write('bad.txt', [HARD[0], ...bad, ...Array(20).fill('.'.repeat(81)), HARD[1]].join('\n'));
    const refused = await hrmData(['sudoku', '--puzzles', list, '--out', at('bad')]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(
      /bad\.txt: 24 bad lines:\n {2}line 2: the puzzle has more than one solution\n/,
    );
    expect(refused.stderr).toMatch(
      /line 3: the puzzle has no solution\n {2}line 4: has 3 characters, expected 81/,
    );
    expect(refused.stderr).toMatch(
      /line 5: character 1 is "x", expected.*line 21: .*\n {2}and 4 more\nNothing was written/s,
    );
    expect(existsSync(at('bad'))).toBe(false);
    const skipped = await succeed(['sudoku', '--puzzles', list, '--skip-bad', '--out', at('bad')]);
    expect(skipped.stderr).toMatch(/left out 24 bad lines/);
    expect(rows((await setOf('bad', 'train')).inputs, 81)).toEqual([HARD[0], HARD[1]].map(tokensOf));
  });

  it('proves that answers of tables are the only ones, of the puzzles that are drawn, unless they are trusted', async () => {
    const ambiguous = ['12..34....4...2.', '1234341221434321', 5];
    const csv = write('ambiguous.csv', table([FOUR[0], ambiguous, FOUR[1], ambiguous]));
    const args = ['sudoku', '--csv', csv, '--size', '4', '--out'];
    const refused = await hrmData([...args, at('ambiguous')]);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    const several = 'the puzzle has more than one solution';
    expect(refused.stderr).toContain(
      `ambiguous.csv: 2 bad lines:\n  line 3: ${several}\n  line 5: ${several}\nNothing was written`,
    );
    expect(existsSync(at('ambiguous'))).toBe(false);
    const skipped = await succeed([...args, at('ambiguous'), '--skip-bad', '--augment', '2']);
    expect(skipped.stdout).toContain('train: 2 puzzles, 6 examples');
    expect(skipped.stderr).toContain('left out 2 bad lines');
    expect((await succeed([...args, at('trusted'), '--trust-answers'])).stdout).toContain('train: 4 puzzles');

    const rare = write('rare.csv', table([...Array.from({ length: 500 }, () => FOUR[0]), ambiguous]));
    const draw = ['sudoku', '--csv', rare, '--size', '4', '--subsample', '2', '--out'];
    expect((await succeed([...draw, at('drawn')])).stdout).toContain('train: 2 puzzles');
    const list = await hrmData(['sudoku', '--puzzles', csv, '--trust-answers', '--out', at('no')]);
    expect(list.stderr).toContain('--trust-answers does not go with --puzzles');
  });

  it('makes puzzles', async () => {
    const args = ['sudoku', '--generate', '30', '--test', '10', '--size', '6', '--blanks', '5-9'];
    await succeed([...args, '--out', at('six')]);
    const blanks = (set: WholeSet) =>
      rows(set.inputs, 36).map((row) => row.split(' ').filter((t) => t === '1').length);
    expect(blanks(await setOf('six', 'train'))).toEqual(Array.from({ length: 30 }, (_, i) => 5 + (i % 5)));
    expect((await setOf('six', 'test')).groupIndices).toHaveLength(11);
  });
});

describe('hrm data maze', () => {
  it('builds from published tables, with all eight copies in a group', async () => {
    const csv = write('maze.csv', `source,question,answer,rating\n${MAZE_ROW}`);
    const args = ['maze', '--csv', csv, '--test-csv', csv, '--size', '3', '--augment', '--out', at('maze')];
    await succeed(args);
    const train = await setOf('maze', 'train');
    expect([...train.groupIndices]).toEqual([0, 8]);
    expect(new Set(rows(train.inputs, 9)).size).toBe(8);
    expect(rows(train.inputs, 9)[0]).toBe('3 2 1 2 2 2 2 2 4');
    expect(rows(train.labels, 9)[0]).toBe('3 5 1 2 5 5 2 2 4');
    expect((await readSplit(at('maze'), 'test')).metadata).toMatchObject({ vocab_size: 6, total_groups: 1 });
  });

  it('subsamples for training only', async () => {
    const csv = write('mazes.csv', `source,question,answer,rating\n${MAZE_ROW.repeat(9)}`);
    const args = ['maze', '--csv', csv, '--test-csv', csv, '--size', '3', '--subsample', '2', '--out'];
    await succeed([...args, at('few-mazes')]);
    expect((await setOf('few-mazes', 'train')).groupIndices).toHaveLength(3);
    expect((await setOf('few-mazes', 'test')).groupIndices).toHaveLength(10);
  });

  it('makes mazes', async () => {
    const args = [
      'maze',
      '--generate',
      '6',
      '--test',
      '3',
      '--size',
      '10',
      '--min-path',
      '20',
      '--seed',
      '4',
    ];
    await succeed([...args, '--out', at('made')]);
    for (const [split, count] of [
      ['train', 6],
      ['test', 3],
    ] as const) {
      const labels = rows((await setOf('made', split)).labels, 100);
      expect(labels).toHaveLength(count);
      for (const label of labels) expect(label.split('5').length - 1).toBeGreaterThan(19);
    }
  });

  it('marks the copies of made mazes by the rule for mazes', async () => {
    const args = [
      'maze',
      '--generate',
      '4',
      '--size',
      '8',
      '--min-path',
      '9',
      '--augment',
      '--out',
      at('turned'),
    ];
    await succeed(args);
    const { inputs, labels } = await setOf('turned', 'train');
    const distances = new MazeDistances(8);
    const marked = rows(inputs, 64).map((row) =>
      markShortestPath(Uint8Array.from(row.split(' '), Number), distances)!.join(' '),
    );
    expect(marked).toHaveLength(32);
    expect(rows(labels, 64)).toEqual(marked);
  });
});

it('ends at Ctrl-C while it looks for one maze', async () => {
  let stopped = 0;
  const started = (kill: (signal: NodeJS.Signals) => void) =>
    setTimeout(() => {
      stopped = performance.now();
      kill('SIGINT');
    }, 1500);
  const args = ['data', 'maze', '--generate', '5', '--min-path', '400', '--out', at('long')];
  const run = await hrm(args, { onStart: started });
  expect(run).toMatchObject({
    code: 130,
    stderr: expect.stringContaining('interrupted; nothing was written'),
  });
  expect(performance.now() - stopped).toBeLessThan(2500);
  expect(existsSync(at('long'))).toBe(false);
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
      /line 5: output, row 2, column 1: "255", expected an integer from 0 to 254/,
      /line 6: input, row 1, column 1: "1.5"/,
      /line 7: input is of 1 rows and 3 columns, more than the 2×2/,
      /line 8: split is/,
      /line 9: task is "7"/,
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

describe('hrm data show', () => {
  it('tells sizes and draws examples, in text and on a page', async () => {
    const list = write('show.txt', HARD.join('\n'));
    await succeed(['sudoku', '--puzzles', list, '--augment', '3', '--out', at('shown')]);
    const run = await succeed([
      'show',
      at('shown'),
      '--from',
      '4',
      '--count',
      '2',
      '--html',
      at('page.html'),
    ]);
    expect(run.stdout).toMatch(
      /seq_len 81 \(9×9\), vocab_size 11.*\n {2}set all: 3 groups, 12 puzzles, 12 examples/,
    );
    expect(run.stdout).toContain('train, set all, group 1, puzzle 4, example 4: "<blank>"');
    expect(run.stdout).toContain(' 9 8 · │ 7 · · │ 6 · · ');
    expect(run.stdout).not.toContain('\x1b');
    const page = readFileSync(at('page.html'), 'utf8');
    expect(page.match(/<svg /g)).toHaveLength(4);
    expect(page).not.toContain('<blank>');
  });

  it('draws mazes in colours where there are colours', async () => {
    const csv = write('show-maze.csv', `question,answer\n${MAZE_ROW.split(',').slice(1, 3).join(',')}\n`);
    await succeed(['maze', '--csv', csv, '--size', '3', '--out', at('shown-maze')]);
    expect((await succeed(['show', at('shown-maze')])).stdout).toContain(
      'S #     So#\n     →   oo\n  G       G',
    );
    const env = { FORCE_COLOR: '1', NO_COLOR: undefined };
    const { stdout } = await hrm(['data', 'show', at('shown-maze')], { env });
    expect(stdout).toContain('\x1b[38;2;40;160;70m\x1b[48;2;240;240;235m▀');
  });

  it('draws numbers, and refuses what is no dataset', async () => {
    const file = write('numbers.jsonl', '{"input": [[0, 11]], "output": [[3, 4]]}');
    await succeed(['jsonl', file, '--out', at('numbers')]);
    expect((await succeed(['show', at('numbers')])).stdout).toMatch(/^ 1 12 {2}→ {2}4 5$/m);
    mkdirSync(at('empty'));
    for (const [args, message] of [
      [[at('empty')], /holds no splits/],
      [[at('none')], /none: cannot read: no such file/],
      [[at('numbers'), '--split', 'test'], /has no split 'test'. Splits: train/],
      [[at('numbers'), '--as', 'sudoku'], /2 tokens of 13 kinds are no Sudoku/],
      [[at('numbers'), '--from', '1'], /--from 1: there are 1 examples/],
    ] as const) {
      const run = await hrmData(['show', ...args]);
      expect(run.stderr).toMatch(message);
      expect(run.code).toBe(1);
    }
  });
});

it('downloads what is given as an address, once', async () => {
  const body = table(FOUR);
  const digest = createHash('sha256').update(body).digest('hex');
  let requests = 0;
  const server = createServer((_, response) => {
    requests++;
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/d/train.csv?download=true`;
  const args = ['sudoku', '--csv', url, '--size', '4', '--downloads', at('downloads')];
  try {
    const wrong = await hrmData([...args, '--sha256', '0'.repeat(64), '--out', at('net0')]);
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining(`has the SHA-256 ${digest}`) });
    expect((await succeed([...args, '--out', at('net1')])).stderr).toContain(digest);
    expect((await succeed([...args, '--sha256', digest, '--out', at('net2')])).stderr).toContain(
      'downloaded before',
    );
  } finally {
    server.close();
  }
  expect(requests).toBe(2);
  expect(readdirSync(at('downloads'))).toEqual([expect.stringMatching(/^train-[0-9a-f]{8}\.csv$/)]);
  expect((await setOf('net1', 'train')).groupIndices).toHaveLength(5);
});

it.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)('leaves nothing behind after %s', async (signal, code) => {
  const csv = write('long.csv', table(FOUR));
  const out = join(folder, signal, 'new', 'data');
  const args = ['data', 'sudoku', '--csv', csv, '--size', '4', '--augment', '100000000', '--out', out];
  let sent = false;
  const run = await hrm(args, {
    onStart(kill) {
      // As soon as something is being written.
      const timer = setInterval(() => {
        if (sent || !existsSync(join(out, '..')) || readdirSync(join(out, '..')).length === 0) return;
        sent = true;
        clearInterval(timer);
        kill(signal);
      }, 20);
    },
  });
  expect(sent).toBe(true);
  expect(run).toMatchObject({ code, stderr: expect.stringContaining('nothing was written') });
  expect(existsSync(join(folder, signal))).toBe(false);
});

describe('bad input is one message and exit code 1, and nothing is written', () => {
  const csv = (contents: string) => ['sudoku', '--size', '4', '--csv', write('bad.csv', contents)];
  const header = 'source,question,answer,rating\n';
  const [question, answer] = FOUR[0] as string[];
  it.each<[string, () => string[], RegExp]>([
    ['missing columns', () => csv('question,solution\n'), /bad\.csv, line 1: the header .* has no answer/],
    [
      'no rating',
      () => [...csv(`question,answer\n${question},${answer}\n`), '--min-difficulty', '1'],
      /no rating/,
    ],
    [
      'a rating that is none',
      () => [...csv(table([[question, answer, 'hard']])), '--min-difficulty', '1'],
      /line 2: the rating is "hard"/,
    ],
    [
      'wrong length',
      () => csv(table([[question, `${answer}1`, 1]])),
      /line 2: the answer has 17 characters, expected 16 for 4×4/,
    ],
    [
      'a character out of range',
      () => csv(table([[question.replace('1', '5'), answer, 1]])),
      /line 2: the question character 1 is "5"/,
    ],
    [
      'an answer that contradicts',
      () => csv(table([[question.replace('12', '21'), answer, 1]])),
      /line 2: the answer contradicts the question at row 1, column 1: 1 where 2/,
    ],
    [
      'an answer that breaks the rules',
      () => csv(table([['.'.repeat(16), '1'.repeat(16), 1]])),
      /line 2: the answer has 1 at row 1, column 1 and again/,
    ],
    [
      'an answer with blanks',
      () => csv(table([[question, question, 1]])),
      /line 2: the answer leaves row 1, column 3 blank/,
    ],
    ['fields missing', () => csv(`${header}a,${question}\n`), /line 2: has 2 fields, expected 4/],
    [
      'unbalanced quotes',
      () => csv(`${header}"a,${question},${answer},1\n`),
      /line 2: the quotes do not match/,
    ],
    ['only a header', () => csv(header), /no puzzles in the split 'train'/],
    ['an empty file', () => csv(''), /bad\.csv: is empty/],
    [
      'not UTF-8',
      () => ['sudoku', '--csv', write('latin.csv', Buffer.from(`${header}\xe9`, 'latin1'))],
      /line 2: is not UTF-8/,
    ],
    ['a missing file', () => ['sudoku', '--csv', at('none.csv')], /none\.csv: cannot read: no such file/],
    ['a folder', () => ['sudoku', '--puzzles', folder], /is a folder/],
    [
      'another checksum',
      () => [...csv(table(FOUR)), '--sha256', 'f'.repeat(64)],
      /has the SHA-256 .*expected ffff/,
    ],
    ['no checksum', () => [...csv(table(FOUR)), '--sha256', 'xyz'], /'xyz' is no SHA-256/],
    [
      'a server that is not there',
      () => ['sudoku', '--csv', 'http://127.0.0.1:1/t.csv', '--downloads', at('dl')],
      /cannot be downloaded/,
    ],
    ['no address', () => ['sudoku', '--csv', 'http://', '--downloads', at('dl')], /is no valid address/],
    ['two sources', () => [...csv(table(FOUR)), '--generate', '3'], /one of --csv, --puzzles and --generate/],
    ['no source', () => ['sudoku'], /one of --csv/],
    [
      'options that do not fit',
      () => [...csv(table(FOUR)), '--blanks', '3-4'],
      /--blanks does not go with --csv/,
    ],
    ['a size that is none', () => ['sudoku', '--generate', '3', '--size', '5'], /no size 5/],
    [
      'blanks that are none',
      () => ['sudoku', '--generate', '3', '--blanks', 'many'],
      /--blanks many: expected/,
    ],
    [
      'too large a test',
      () => ['sudoku', '--puzzles', write('one.txt', HARD[0]), '--test', '1'],
      /leaves nothing to train on/,
    ],
    [
      'a maze of another size',
      () => ['maze', '--csv', write('m.csv', `${header}${MAZE_ROW}`)],
      /line 2: the question has 9 characters, expected 900/,
    ],
    [
      'a path that is no path',
      () => ['maze', '--size', '3', '--csv', write('m.csv', `${header}x,S       G,So      G,1\n`)],
      /line 2: the path of the answer does not lead/,
    ],
    [
      'mazes out of reach',
      () => ['maze', '--generate', '3', '--size', '4', '--min-path', '15'],
      /no new one of 4×4 .* Lower --min-path/,
    ],
    ['no bound', () => ['maze', '--generate', '3', '--size', '8'], /give --min-path/],
    ['no examples', () => ['jsonl', write('blank.jsonl', '\n\n')], /holds no examples/],
    [
      'only tests',
      () => ['jsonl', write('t.jsonl', '{"input":[[1]],"output":[[1]],"split":"test"}')],
      /no training examples/,
    ],
    ['an unknown kind', () => ['chess'], /unknown kind of data 'chess'/],
  ])('%s', async (_, args, message) => {
    const list = args();
    const out = list[0] === 'chess' ? [] : ['--out', at('refused')];
    const before = readdirSync(folder);
    const run = await hrmData([...list, ...out]);
    expect(run.stderr).toMatch(message);
    expect(run.stderr).toMatch(/^error: /m);
    expect(run.stderr).not.toContain('    at ');
    expect(run.code).toBe(1);
    expect(readdirSync(folder).filter((name) => name !== 'dl')).toEqual(
      before.filter((name) => name !== 'dl'),
    );
  });

  it('an output folder that exists; also of the built command', async () => {
    mkdirSync(at('there'));
    const run = await hrm(['data', ...csv(table(FOUR)), '--out', at('there')]);
    expect(run).toMatchObject({ code: 1, stderr: expect.stringMatching(/there: exists already/) });
    expect(readdirSync(at('there'))).toEqual([]);
  });
});

it('explains itself', async () => {
  for (const kind of ['sudoku', 'maze', 'arc', 'jsonl', 'show']) {
    expect((await succeed([kind, '--help'])).stdout).toContain(`usage: hrm data ${kind}`);
  }
  expect((await succeed([])).stdout).toContain('usage: hrm data <kind>');
});
