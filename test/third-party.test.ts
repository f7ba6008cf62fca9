/** THIRD_PARTY.md lists what is shipped of others, and nothing else. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const json = (path: string) => JSON.parse(readFileSync(root + path, 'utf8'));

/** Of the page everything that its sources import; of packages what they depend on. */
function shipped(): Set<string> {
  const names = new Set<string>();
  for (const name of ['core', 'kernels', 'hrm', 'bench'])
    for (const dependency of Object.keys(json(`packages/${name}/package.json`).dependencies ?? {}))
      names.add(dependency);
  const sources = readdirSync(`${root}packages/web/src`, { recursive: true, encoding: 'utf8' });
  for (const file of sources.filter((name) => /\.tsx?$/.test(name))) {
    const text = readFileSync(`${root}packages/web/src/${file}`, 'utf8');
    for (const [, from] of text.matchAll(
      /(?:^import\b[^;'"]*|^export\b[^;'"=]*\bfrom |\bimport\()'([^'.][^']*)'/gm,
    )) {
      const [scope, name] = from.split('/');
      names.add(scope.startsWith('@') ? `${scope}/${name}` : scope);
    }
  }
  return new Set([...names].filter((name) => !/^(@hrm-webgpu\/|hrm-webgpu)/.test(name)));
}

it('names, versions and licences are those that are installed', () => {
  const rows = [
    ...readFileSync(`${root}THIRD_PARTY.md`, 'utf8').matchAll(
      /^\| \[([^\]]+)\]\([^)]+\) \| (\S+) \| (\S+) \|/gm,
    ),
  ];
  const listed = rows.map(([, name, version, license]) => ({ name, version, license }));
  const installed = [...shipped()].sort().map((name) => {
    const { version, license } = json(`node_modules/${name}/package.json`);
    return { name, version, license };
  });
  expect(listed).toEqual(installed);
});
