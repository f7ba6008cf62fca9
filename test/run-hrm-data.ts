/** For tests of `hrm data`: it runs in this process, and writes to a folder that is deleted after the tests of a file. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, vi } from 'vitest';
import { main } from '../packages/hrm/src/cli/main.ts';
import { readSplit } from '../packages/hrm/src/data/dataset/dataset.node.ts';
import type { HrmResult } from './run-hrm.ts';

export const folder = mkdtempSync(join(tmpdir(), 'hrm-data-'));
afterAll(() => rmSync(folder, { recursive: true }));
export const at = (name: string) => join(folder, name);
export const write = (name: string, contents: string | Uint8Array) => {
  writeFileSync(at(name), contents);
  return at(name);
};

/** Of the forum's list of the hardest (2019-05), and the answer of the first. */
export const HARD = [
  '98.7..6..75..4......3..8.7.5....7.3...94.........2.1..3.......1.9...5.8...52....6',
  '98.7..6..7.....5....4.8..9.4...3..7..7...2.....31....53....61...4..9..3.........2',
  '98.7..6..7..5..94.....6....47...3....2...5.....96..4..2...5..1..9.8..2....8.....6',
];
/** 4×4 puzzles with their answers and made-up ratings. */
export const FOUR = [
  ['12..34....43..21', '1234341221434321', 3],
  ['.234341221434321', '1234341221434321', 1],
  ['1234..1221434321', '1234341221434321', 2],
  ['12343412..434321', '1234341221434321', 9],
];
export const table = (rows: unknown[][]) =>
  `source,question,answer,rating\n${rows.map((row) => `"a, b",${row.join(',')}\n`).join('')}`;
export const MAZE_ROW = 'maze,"S #     G","So# oo  G",4\n';

/** The one set of a split, after all checks of reading, with all its tokens. */
export async function setOf(dir: string, split: string) {
  const { sets, close } = await readSplit(at(dir), split);
  const [set] = sets.values();
  const [inputs, labels] = [set.inputs, set.labels].map((rows) => rows.read(0, rows.count).slice());
  close();
  return { ...set, inputs, labels };
}
export type WholeSet = Awaited<ReturnType<typeof setOf>>;
export const rows = (tokens: ArrayLike<number>, length: number) =>
  Array.from({ length: tokens.length / length }, (_, i) =>
    Array.from({ length }, (_, j) => tokens[i * length + j]).join(' '),
  );
export const tokensOf = (grid: string) =>
  Array.from(grid, (character) => (Number(character) || 0) + 1).join(' ');

/** Runs `hrm data` in this process: starting one takes longer than most of what is tested here. */
export async function hrmData(args: readonly string[]): Promise<HrmResult> {
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

export async function succeed(args: string[]): Promise<HrmResult> {
  const run = await hrmData(args);
  expect(run).toMatchObject({ code: 0 });
  return run;
}
