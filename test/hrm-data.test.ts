import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { hrm } from './run-hrm.ts';
import { at, FOUR, folder, HARD, hrmData, MAZE_ROW, setOf, succeed, table, write } from './run-hrm-data.ts';

// Before the terminal's colours are decided on.
vi.hoisted(() => {
  process.env.NO_COLOR = '1';
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
    ['missing columns', () => csv('question,reply\n'), /bad\.csv, line 1: the header .* has no answer/],
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
