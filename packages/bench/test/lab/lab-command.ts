/** The lab's command on a folder of shaders with a copy of `add`, for tests that edit it. */
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeEach, expect } from 'vitest';

export const inRoot = (path: string) => fileURLToPath(new URL(`../../../../${path}`, import.meta.url));
export const folder = mkdtempSync(join(tmpdir(), 'hrm-lab-'));
export const file = join(folder, 'add.wgsl');
export const original = readFileSync(inRoot('shaders/add.wgsl'), 'utf8');
export const STORE = 'c[i] = a[i] + b[i];';
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => copyFileSync(inRoot('shaders/add.wgsl'), file));

/** @param group whether it is the first of a process group, as what a terminal starts is */
export function start(args: readonly string[], environment: Record<string, string> = {}, group = false) {
  const child = spawn(process.execPath, [inRoot('packages/bench/bin/lab.js'), ...args], {
    env: { ...process.env, NO_COLOR: '1', ...environment },
    detached: group,
  });
  const said = { out: '', err: '' };
  child.stdout.on('data', (text) => {
    said.out += text;
  });
  child.stderr.on('data', (text) => {
    said.err += text;
  });
  const code = new Promise<number | null>((resolve) => child.on('exit', resolve));
  return { child, said, code };
}

export async function lab(...args: string[]) {
  const { said, code } = start(args);
  return { code: await code, ...said };
}
export const once = (...args: string[]) =>
  lab('add', '--once', '--json', '--shaders', folder, '--shape', 'length=4096', ...args);
export const edit = (change: (text: string) => string) => {
  const text = change(original);
  expect(text).not.toBe(original);
  writeFileSync(file, text);
};

/** Makes the folder a repository of its own, with `add` as it is now committed: the checkout may be in none, as an archive. */
export function commit(): void {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: folder, stdio: 'pipe' });
  git('init', '--quiet');
  git('add', 'add.wgsl');
  git('-c', 'user.name=lab', '-c', 'user.email=lab@localhost', 'commit', '--quiet', '--message', 'add');
}
