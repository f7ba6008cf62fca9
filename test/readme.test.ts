/** Commands in the documentation work as they are printed. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'hrm-readme-'));
afterAll(() => rmSync(folder, { recursive: true }));

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`),
];

it('no command puts what npm says of itself into a file', () => {
  const loud = pages
    .filter((page) => page.endsWith('.md'))
    .flatMap((page) =>
      readFileSync(join(root, page), 'utf8')
        .split('\n')
        .map((line) => `${page}: ${line.trim()}`),
    )
    .filter((line) => /npm run (?!-s |--silent )[^#;`]*>/.test(line));
  expect(loud).toEqual([]);
});

it("npm run -s bench … > file holds bench's own words alone", () => {
  const document = {
    format: 1,
    benchmark: 'x',
    title: 'x',
    environment: { adapter: {} },
    settings: {},
    controls: [],
  };
  const file = join(folder, 'a.json');
  writeFileSync(file, JSON.stringify({ ...document, results: [{ name: 'a', samplesMs: [1, 1.1, 0.9] }] }));
  const target = join(folder, 'changes.json');
  const { status, stderr } = spawnSync(`npm run -s bench -- compare ${file} ${file} --json > ${target}`, {
    ...{ cwd: root, shell: true, encoding: 'utf8' },
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(JSON.parse(readFileSync(target, 'utf8'))).toMatchObject([
    { benchmark: 'x', changes: [{ name: 'a' }] },
  ]);
});
