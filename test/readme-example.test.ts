/** The library example of the README runs as it stands there. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

it('solves its puzzle', () => {
  const [, code] = readFileSync(`${root}/README.md`, 'utf8').match(/```ts\n(.*?)```/s) ?? [];
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    cwd: root,
    encoding: 'utf8',
  });
  expect(run.status).toBe(0);
  expect(run.stdout).toMatch(/^1 goes on\n[\s\S]*4 segments\n4 5 6 3 2 1\n2 3 1 5 4 6\n/);
});
