/** A slice of the fuzzing of everything that reads other people's files: `node test/fuzz/fuzz.mjs --count 60000` is all of it. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';

const tool = fileURLToPath(new URL('fuzz/fuzz.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'hrm-fuzz-'));
afterAll(() => rmSync(folder, { recursive: true }));

const fuzz = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [tool, '--out', join(folder, 'failures'), ...args],
    {
      encoding: 'utf8',
      env: { ...process.env, ...(args[0] === 'planted-hang' && { FUZZ_HANG_MS: '3000' }) },
    },
  );
  return { status, text: stdout + stderr };
};

it('nothing that reads files crashes, hangs, takes too much, or says what would steer a terminal', () => {
  const { status, text } = fuzz('--count', '100', '--seed', '7');
  expect(text).toMatch(/\nnothing broke\n$/);
  expect(text.match(/: 100 inputs, \d+ refused/g)).toHaveLength(16);
  expect(status).toBe(0);
});

it.each([
  ['planted-defect', /TypeError/],
  ['planted-end', /the process ended \(SIGABRT\)/],
  ['planted-hang', /the process ended \(SIGKILL\)/],
  ['planted-large', /over-allocation: 1073741824 bytes at once/],
  ['planted-raw', /raw control characters: "a\\u001b\[31m"/],
  ['planted-slow', /took 1\d\d ms for \d+ bytes/],
])('a reader that is wrong is found: %s', (name, how) => {
  const { status, text } = fuzz(name, '--count', '12');
  expect(text).toMatch(how);
  expect(status).toBe(1);
});

it('goes on where it was stopped', () => {
  const state = join(folder, 'state.json');
  writeFileSync(state, JSON.stringify({ npy: { at: 90, refused: 80 } }));
  expect(fuzz('npy', '--count', '100', '--state', state).text).toContain('npy: 10 inputs');
  expect(JSON.parse(readFileSync(state, 'utf8')).npy.at).toBe(100);
});
