/** The version that a kernel is timed against, where there may be none. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { committedShader } from '../../src/lab/sources.node.ts';
import { commit, folder, original } from './lab-command.ts';

afterEach(() => vi.unstubAllEnvs());

it('is what git has, or why it has none', async () => {
  commit();
  expect(await committedShader(folder, 'add', 'HEAD')).toEqual({ text: original });
  expect(await committedShader(folder, 'add', 'nosuch')).toEqual({
    missing: "invalid object name 'nosuch'.",
  });
  expect(await committedShader(folder, 'fill', 'HEAD')).toEqual({
    missing: expect.stringMatching(/'fill\.wgsl' does not exist in 'HEAD'/),
  });
});

it('is none in a folder without a repository, nor without git', async () => {
  const bare = mkdtempSync(join(tmpdir(), 'hrm-bare-'));
  expect(await committedShader(bare, 'add', 'HEAD')).toEqual({ missing: `${bare} is in no git repository` });
  vi.stubEnv('PATH', bare);
  expect(await committedShader(bare, 'add', 'HEAD')).toEqual({ missing: 'git is not installed' });
  rmSync(bare, { recursive: true });
});
