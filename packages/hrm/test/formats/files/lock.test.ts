import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, it, vi } from 'vitest';
import { Lock } from '../../../src/formats/files/lock.node.ts';

/** What happens to a file before a link to it is made. */
let beforeLink: ((path: string) => void) | undefined;
vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>();
  return {
    ...fs,
    linkSync: (from: string, to: string) => {
      beforeLink?.(from);
      fs.linkSync(from, to);
    },
  };
});

const folder = mkdtempSync(join(tmpdir(), 'hrm-lock-'));
const path = join(folder, 'lock');
afterEach(() => {
  beforeLink = undefined;
  rmSync(path, { force: true });
  expect(readdirSync(folder)).toEqual([]);
});
afterAll(() => rmSync(folder, { recursive: true }));

it('is taken once, and given back', () => {
  const lock = Lock.take(path, 'the run');
  expect(() => Lock.take(path, 'the run')).toThrow(`the run is used by process ${process.pid} since 20`);
  Lock.expectFree(path, 'the run'); // for the process that has it
  lock.release();
  expect(existsSync(path)).toBe(false);
});

it('of a process that has ended is taken over, of another machine it is not', () => {
  const lock = Lock.take(path, 'the run');
  const holder = JSON.parse(readFileSync(path, 'utf8'));
  lock.release();
  writeFileSync(path, JSON.stringify({ ...holder, pid: 2 ** 22 + 1 })); // more than Linux counts to
  Lock.expectFree(path, 'the run');
  Lock.take(path, 'the run').release();
  writeFileSync(path, JSON.stringify({ ...holder, host: 'elsewhere' }));
  for (const attempt of [Lock.take, Lock.expectFree])
    expect(() => attempt(path, 'the run')).toThrow(/on elsewhere since .*, which cannot be seen from here/);
});

it('is taken where another process sweeps what it finds unfinished', () => {
  let swept = 0;
  beforeLink = (from) => {
    if (swept++ < 3) rmSync(from);
  };
  Lock.take(path, 'the run').release();
  expect(swept).toBe(4);
});
