/** What becomes of what `hrm` prints, and of names that it cannot read. */
import { spawnSync } from 'node:child_process';
import { closeSync, copyFileSync, existsSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const HRM = file('../packages/hrm/bin/hrm.js');
const MODEL = file('fixtures/trained-6x6');

it.runIf(existsSync('/dev/full')).each([
  ['hrm inspect --json', [HRM, 'inspect', MODEL, '--json']],
  ['hrm --help', [HRM, '--help']],
  ['bench --help', [file('../packages/bench/bin/bench.js'), '--help']],
  ['lab --help', [file('../packages/bench/bin/lab.js'), '--help']],
])('%s says that there is no room for what it prints', (_, command) => {
  const full = openSync('/dev/full', 'w');
  const { status, stderr } = spawnSync(process.execPath, command, {
    stdio: ['ignore', full, 'pipe'],
    encoding: 'utf8',
  });
  closeSync(full);
  expect(stderr).toMatch(/^error: cannot write the output: no space left on the device\. .*\n$/);
  expect(status).toBe(1);
});

it.runIf(process.platform === 'linux')('names a path that is not UTF-8 as it is', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hrm-output-'));
  const path = Buffer.concat([Buffer.from(`${folder}/it's `), Buffer.from([0xe9]), Buffer.from('.pt')]);
  copyFileSync(join(MODEL, 'checkpoint'), path);
  const shell = `exec '${process.execPath}' '${HRM}' inspect ${folder}/*`;
  const { status, stderr } = spawnSync('sh', ['-c', shell], { encoding: 'utf8' });
  expect(stderr).toBe(
    `error: $'${folder}/it\\x27s \\xe9.pt' is not UTF-8, and Node cannot open files by such names: rename it, or give a link to it\n`,
  );
  expect(status).toBe(1);
  rmSync(folder, { recursive: true });
});
