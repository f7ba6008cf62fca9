/** `hrm solve`: every kind of puzzle, what it prints and its exit codes. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openDevice } from '@hrm-webgpu/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeIdentifiers } from '../packages/hrm/src/data/dataset/dataset.node.ts';
import { writeFileAtomic } from '../packages/hrm/src/formats/files/atomic-write.node.ts';
import { DEFAULT_ARCH, type ModelConfig } from '../packages/hrm/src/model/config.ts';
import { initializeModel } from '../packages/hrm/src/model/init.ts';
import { prospectOf, verdictOn } from '../packages/hrm/src/puzzles/verdict.ts';
import type { Task } from '../packages/hrm/src/tasks/tasks.ts';
import { encodeModel } from '../packages/hrm/src/training/checkpoint.ts';
import { hrm } from './run-hrm.ts';

const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
const SIX = fixture('trained-6x6');
const PUZZLE = '4...212315...4..636....5..4.5..6....';
const folder = mkdtempSync(join(tmpdir(), 'hrm-solve-'));
const inFolder = (name: string) => join(folder, name);

/** Models that have learned nothing, one for each task. */
const MODELS = { maze: [6, 25], arc: [12, 900], tokens: [9, 6], latin: [6, 16], none: [6, 16] } as const;
/** What checkpoints say of their grids, where they do. */
const MEANINGS: Record<string, { task: Task }> = { latin: { task: 'latin' }, none: { task: 'none' } };

beforeAll(async () => {
  const device = await openDevice();
  for (const [name, [vocab_size, seq_len]] of Object.entries(MODELS)) {
    const config: ModelConfig = {
      ...DEFAULT_ARCH,
      ...{ hidden_size: 32, num_heads: 2, H_layers: 1, L_layers: 1, puzzle_emb_ndim: 32, halt_max_steps: 2 },
      ...{ vocab_size, seq_len, num_puzzle_identifiers: 2 },
    };
    const model = await initializeModel(device, config, 0);
    mkdirSync(inFolder(name));
    const parts = await encodeModel(model, MEANINGS[name]);
    await writeFileAtomic(join(folder, name, 'best.safetensors'), parts);
  }
  device.close();
  await writeIdentifiers(inFolder('arc'), ['<blank>', 'abc123']);
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  writeFileSync(inFolder(name), text);
  return inFolder(name);
}

const MAZE = '#####\n#S  #\n### #\n#G  #\n#####\n';
const TASK = {
  train: [{ input: [[1]], output: [[2]] }],
  test: [{ input: [[1, 2, 3]], output: [[3, 2, 1]] }, { input: [[4], [5]] }],
};

describe('hrm solve', () => {
  it('makes guesses, and shows which was chosen and how the others ended', async () => {
    const run = await hrm(['solve', SIX, '.5.31.....656...3......6.42...5...41', '--guesses', '16']);
    expect(run.code).toBe(0);
    expect(run.stdout).toMatch(
      /^guess 2 of 4, by rules, after 4 segments\nthis answer, proven\n {2}guess 2 /m,
    );
    expect(run.stdout).toMatch(/^answer 2, not valid, \d+ cells? differs?$/m);
    expect(run.stdout).toMatch(/^ {2}guess 0 +4 segments +goes on +q_halt +-?\d+\.\d\d +as given$/m);
    expect(run.stdout).toMatch(/solved: every rule holds and every given is kept\n$/);
    for (const line of run.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('takes digits for what the checkpoint was trained on', async () => {
    // Twice in a box, once in every row and column.
    const givens = '12..' + '.1..' + '....' + '....';
    const latin = await hrm(['solve', inFolder('latin'), givens]);
    expect(latin.stdout).toMatch(/^4×4 Latin square\n/);
    expect(latin.stdout).toMatch(/not solved: .*|solved: every rule/);
    expect(latin.stdout).not.toContain('row, column or box');
    expect(latin.code).toBe(2);
    const twice = await hrm(['solve', inFolder('latin'), `11..${givens.slice(4)}`]);
    expect(twice.stderr).toContain('the givens break the rules at row 1, column 1');
    const sudoku = await hrm(['solve', inFolder('latin'), givens, '--task', 'sudoku']);
    expect(sudoku.stderr).toContain('the givens break the rules at row 1, column 1');
    const none = await hrm(['solve', inFolder('none'), givens]);
    expect(none.stdout).toMatch(/^4×4 grid, as tokens: values \+ 1\n2 3 1 1\n1 2 1 1\n/);
    expect(none.stdout).not.toMatch(/solved/);
    expect(none.code).toBe(0);
  });

  it.each([
    [['--guesses', '0'], /--guesses must be a whole number of at least 1, got '0'/],
    [['--guesses', '2', '--noise=-1'], /--noise -1: expected a standard deviation, a number from 0/],
    [['--guesses', '2', '--noise', '-1'], /--noise .*'-1' .*--noise=-1/],
    [['--guesses', '2', '--noise', 'NaN'], /--noise NaN: expected a standard deviation/],
    [
      ['--guesses', '3', '--symmetries', 'dihedral'],
      /no symmetry 'dihedral'; there is digits, rows, columns/,
    ],
    [['--guesses', '800', '--symmetries', 'digits'], /800 guesses: there are 720 different ones by symmetry/],
    [['--select', 'luck'], /--select luck: expected auto, rules, halt-first/],
    [['--checkpoints', 'nothing'], /--checkpoints: nothing: no such file or folder/],
    [['--seed', '1'], /--seed draws guesses: give --guesses N/],
    [['--check', 'nothing.mjs', '--guesses', '2'], /--check nothing\.mjs: no such file/],
  ])('refuses %j in one line', async (options, message) => {
    const run = await hrm(['solve', SIX, PUZZLE, ...options]);
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(message);
    expect(run.stderr.match(/error:/g)).toHaveLength(1);
  });

  it('solves a Sudoku, from the command line or a file, until the model halts', async () => {
    const run = await hrm(['solve', SIX, PUZZLE]);
    expect(run).toMatchObject({ code: 0 });
    const segments = run.stdout.match(
      /segment \d +q_halt -?\d+\.\d+ +q_continue -?\d+\.\d+ +(halts|goes on)/g,
    );
    expect(segments?.map((line) => line.endsWith('halts'))).toEqual([false, false, false, true]);
    expect(run.stdout).toContain('  4 5 6 │ 3 2 1\n  2 3 1 │ 5 4 6\n');
    expect(run.stdout).toContain('solved: every rule holds');
    const lines = PUZZLE.match(/.{6}/g) as string[];
    expect((await hrm(['solve', SIX, file('six.txt', `${lines.join('\n')}\n`)])).stdout).toBe(run.stdout);
  });

  it('reads standard input, and other forms of text, as the same Sudoku', async () => {
    const lines = PUZZLE.match(/.{6}/g) as string[];
    const strokes = `+---+---+\r\n${lines.map((row) => `|${row.slice(0, 3)}|${row.slice(3)}|\r\n`).join('')}`;
    const expected = (await hrm(['solve', SIX, PUZZLE])).stdout;
    expect(await hrm(['solve', SIX, '-'], { input: `[Puzzle]\n${strokes}` })).toMatchObject({
      ...{ code: 0, stdout: expected },
    });
    expect((await hrm(['solve', SIX, PUZZLE.replaceAll('.', 'x')])).stdout).toBe(expected);
    const array = JSON.stringify(lines.map((row) => [...row].map((cell) => Number(cell) || 0)));
    const run = await hrm(['solve', SIX, '-'], { input: array });
    expect(run.stdout).toBe(expected.replace('6×6 Sudoku', '6×6 grid of numbers'));
  });

  it('names the weights that it takes of a file that holds more', async () => {
    const run = await hrm(['solve', fixture('foreign/ema-protocol5.pt'), PUZZLE]);
    expect(run).toMatchObject({ code: 1, stdout: '' }); // it is no model
    expect(run.stderr).toMatch(
      /ema-protocol5\.pt: the weights are those of "ema"; the file also holds "epoch", "model"\n/,
    );
  });

  it('exits 2 with an answer that breaks the rules, and thinks for as long as it is told', async () => {
    const short = await hrm(['solve', SIX, PUZZLE, '--max-think-steps', '1']);
    expect(short.code).toBe(2);
    expect(short.stdout).toMatch(/would think on.*\nnot solved: a digit stands twice/);
    const long = await hrm(['solve', SIX, PUZZLE, '--max-think-steps', '6', '--no-halt']);
    expect(long.stdout.match(/^segment/gm)).toHaveLength(6);
  });

  it('says before it thinks that a Sudoku has several solutions, or may have', async () => {
    const several = await hrm(['solve', SIX, `${'.'.repeat(30)}${PUZZLE.slice(30)}`]);
    expect([0, 2]).toContain(several.code);
    expect(several.stdout).toMatch(
      /^6×6 Sudoku\nthe Sudoku has more than one solution: an answer that keeps/,
    );
    expect(several.stdout).toMatch(/segment 1/);
    expect((await hrm(['solve', SIX, PUZZLE, '--max-think-steps', '1'])).stdout).not.toContain(
      'one solution',
    );
  });

  it('reads a maze', async () => {
    const run = await hrm(['solve', inFolder('maze'), file('maze.txt', MAZE)]);
    expect(run.code).toBe(2); // it has learned nothing
    expect(run.stdout).toContain(`5×5 maze\n${MAZE}`);
    expect(run.stdout).toMatch(/not solved: the path/);
  });

  it('reads an ARC task, its tests and the names of puzzles', async () => {
    const task = file('task.json', JSON.stringify(TASK));
    const first = await hrm(['solve', inFolder('arc'), task]);
    expect(first.code).toBe(2);
    expect(first.stdout).toMatch(/1 training pairs, test input 1 of 2\n123\n/);
    expect(first.stdout).toContain('wrong: the task gives another output');
    const named = ['--puzzle', 'abc123', '--test', '2'];
    const second = await hrm(['solve', inFolder('arc'), task, ...named]);
    expect(second).toMatchObject({ code: 0 }); // nothing tells whether it is right
    expect(second.stdout).toMatch(/test input 2 of 2\n4\n5\n/);
    // A fresh model's puzzle rows are zeros, as they are without.
    expect((await hrm(['solve', inFolder('arc'), task, '--trunk-only'])).stdout).toBe(first.stdout);
  });

  it('reads any grid of numbers', async () => {
    const run = await hrm(['solve', inFolder('tokens'), file('grid.txt', '1 2 8\n0, 3, 4\n')]);
    expect(run).toMatchObject({ code: 0 });
    expect(run.stdout).toContain('2×3 grid of numbers\n1 2 8\n· 3 4\n');
  });

  it.each<[string, () => string[], RegExp]>([
    [
      'a puzzle that is left out',
      () => [inFolder('arc'), file('t.json', JSON.stringify(TASK)), '--puzzle', 'abc123', '--trunk-only'],
      /--puzzle names a puzzle embedding, and --trunk-only leaves them out/,
    ],
    ['missing file', () => [SIX, inFolder('none.txt')], /none\.txt/],
    ['empty file', () => [SIX, file('empty.txt', '\n')], /is empty/],
    ['letters', () => [SIX, file('letters.txt', '1 2\n3 x\n')], /row 2, column 2 is "x"/],
    ['flat maze', () => [SIX, file('flat.txt', '###\n#S#\n')], /2 rows of up to 3 cells/],
    ['two starts', () => [SIX, file('two.txt', 'SS\nG#\n')], /start S 2 times, expected once/],
    [
      'no way',
      () => [inFolder('maze'), file('shut.txt', MAZE.replace('### #', '#####'))],
      /^error: the maze has no solution: walls part S from G/m,
    ],
    // The cell in the corner sees all six digits.
    [
      'no digits',
      () => [SIX, `.12345${'.'.repeat(18)}6${'.'.repeat(11)}`],
      /^error: the Sudoku has no solution: no digits/m,
    ],
    ['odd cell', () => [SIX, file('odd.txt', 'S?\nG#\n')], /row 1, column 2 of the maze is "\?"/],
    ['maze for a Sudoku model', () => [SIX, file('m.txt', MAZE)], /25 tokens of 8 kinds; the task 'maze'/],
    [
      'large Sudoku',
      () => [SIX, '.'.repeat(81)],
      /the puzzle has 9 rows of 9 cells; this model reads 6 rows/,
    ],
    ['no test', () => [inFolder('arc'), file('t.json', JSON.stringify(TASK)), '--test', '3'], /has 2 test/],
    [
      'bad colour',
      () => [inFolder('arc'), file('c.json', '{"test": [{"input": [[11]]}]}')],
      /input\[0\]\[0\]/,
    ],
    ['no JSON', () => [inFolder('arc'), file('n.json', '{"test": [')], /not valid JSON/],
    ['no task', () => [inFolder('arc'), file('o.json', '{"test": []}')], /expected an ARC task/],
    [
      'several tasks',
      () => [inFolder('arc'), file('many.json', JSON.stringify({ a: TASK, b: TASK }))],
      /many\.json: holds several ARC tasks, or none, expected one task/,
    ],
    [
      'pairs alone',
      () => [inFolder('arc'), file('pairs.json', JSON.stringify(TASK.train))],
      /pairs\.json: holds pairs alone, expected one task/,
    ],
    [
      'several Sudokus',
      () => [SIX, file('two.txt', `${PUZZLE}\n${PUZZLE}`)],
      /holds 2 Sudokus, expected one/,
    ],
    [
      'odd digit',
      () => [SIX, PUZZLE.replace('2', 'y')],
      /the Sudoku: character 5 is "y", expected '\.', 0 or/,
    ],
    [
      'JSON that is no grid',
      () => [SIX, file('g.json', '[[1, "a"]]')],
      /expected a grid in JSON, rows of whole/,
    ],
    ['nothing on standard input', () => [SIX, '-'], /standard input: is empty/],
    [
      'a long text',
      () => [SIX, file('long.txt', '1 2\n'.repeat(3e5))],
      /has 1200000 characters, more than any/,
    ],
    [
      'a task nested deeply',
      () => [inFolder('arc'), file('deep.json', `{"test":[{"input":${'['.repeat(1e5)}${']'.repeat(1e5)}}]}`)],
      /is not valid JSON \(it is nested more than 64 deep\)/,
    ],
    [
      'no name',
      () => [inFolder('arc'), file('p.json', JSON.stringify(TASK)), '--puzzle', 'x'],
      /"x": not among the 2/,
    ],
    ['--test without a task', () => [SIX, PUZZLE, '--test', '1'], /--test goes with an ARC task/],
    ['old option', () => [SIX, PUZZLE, '--max-steps', '2'], /Unknown option '--max-steps'/],
  ])('%s: one message', async (_, args, message) => {
    const run = await hrm(['solve', ...args()]);
    expect(run).toMatchObject({ code: 1, stdout: '' });
    expect(run.stderr).toMatch(message);
    expect(run.stderr).not.toContain('    at ');
  });
});

describe('the prospect', () => {
  const tokensOf = (text: string) => Array.from(text, (digit) => (Number(digit) || 0) + 1);

  it('does not take long over nearly empty grids', () => {
    expect(prospectOf('sudoku', tokensOf('.'.repeat(81)))).toMatch(/more than one solution/);
    // P. Norvig's puzzle without a solution, millions of guesses away: https://norvig.com/sudoku.html
    const impossible = '.....5.8....6.1.43..........1.5........1.6...3.......553.....61........4.........';
    expect(prospectOf('sudoku', tokensOf(impossible))).toMatch(/^not proven/);
  });

  it('has nothing to say of other grids', () => {
    expect(prospectOf('maze', [1, 2, 2, 1])).toBeUndefined();
    expect(prospectOf('none', [1, 2, 2])).toBeUndefined();
  });
});

describe('the verdict', () => {
  const maze = (text: string) =>
    Array.from(text.replaceAll('\n', ''), (cell) => ' # SGo'.indexOf(cell, 1) || 0);
  const on = (answer: string) =>
    verdictOn({ task: 'maze', input: maze(MAZE), prediction: maze(answer), answer: [] });

  it('knows paths, shortest paths, walls and gaps', () => {
    expect(on('#####\n#Soo#\n###o#\n#Goo#\n#####\n')).toMatchObject({
      valid: true,
      text: expect.stringContaining('a shortest path'),
    });
    expect(on(MAZE)).toMatchObject({ valid: false });
    expect(on('#####\n#S  #\n#o# #\n#G  #\n#####\n')?.text).toMatch(/goes through walls/);
  });
});
