/** The lab's commands that show what runs, as their user runs them. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect } from 'vitest';

export const inRoot = (path: string) => fileURLToPath(new URL(`../../../../../${path}`, import.meta.url));
export const folder = mkdtempSync(join(tmpdir(), 'hrm-seeing-'));
afterAll(() => rmSync(folder, { recursive: true }));

export function lab(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [inRoot('packages/bench/bin/lab.js'), ...args], (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out, err }),
    );
  });
}

/** A folder with one shader, in which something is another. */
export function shaders(name: string, kernel: string, change: (text: string) => string): string {
  const at = join(folder, name);
  mkdirSync(at, { recursive: true });
  const original = readFileSync(inRoot(`shaders/${kernel}.wgsl`), 'utf8');
  const text = change(original);
  expect(text).not.toBe(original);
  writeFileSync(join(at, `${kernel}.wgsl`), text);
  return at;
}
export const wrongSwiglu = () => shaders('wrong', 'swiglu', (text) => text.replace('1 + exp', '1.01 + exp'));

export const expectNarrow = (out: string) => {
  for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
};
