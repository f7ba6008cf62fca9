// Publishes the packages: makes them, checks that they belong together, and has npm publish them in the order of their
// dependencies. Without --publish nothing leaves the machine (npm's dry run). They are made twice, and must be the same to the
// byte: whoever builds this commit gets what is published.
//
//   --publish      for real
//   --tag vX.Y.Z   the version that they must have
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { PACKAGES, packTarballs, stagePackages } from './packages.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = join(root, 'build/release');

/** What speaks against a release. */
function problems(manifests, tag) {
  const found = [];
  const { version } = manifests[0];
  const names = new Set(manifests.map(({ name }) => name));
  for (const manifest of manifests) {
    if (manifest.version !== version) found.push(`${manifest.name} is ${manifest.version}, not ${version}`);
    for (const [name, wanted] of Object.entries(manifest.dependencies ?? {}))
      if (names.has(name) && wanted !== version)
        found.push(`${manifest.name} wants ${name} ${wanted}, not ${version}`);
  }
  if (tag !== undefined && tag !== `v${version}`)
    found.push(`the tag is ${tag}, the packages are ${version}`);
  const changes = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');
  if (tag !== undefined && !changes.includes(`## [${version}]`))
    found.push(`CHANGELOG.md has no section '## [${version}]'`);
  return found;
}

const { values } = parseArgs({
  options: { publish: { type: 'boolean', default: false }, tag: { type: 'string' } },
});
/** Makes all tarballs; by name their sums. */
async function makeTarballs(folder) {
  await stagePackages(folder);
  const tarballs = packTarballs(folder);
  const sumOf = (path) => createHash('sha256').update(readFileSync(path)).digest('hex');
  return { tarballs, sums: tarballs.map((path) => `${sumOf(path)}  ${basename(path)}`) };
}

const again = await makeTarballs(`${out}-again`);
const { tarballs, sums } = await makeTarballs(out);
const manifests = PACKAGES.map((name) => JSON.parse(readFileSync(join(out, name, 'package.json'), 'utf8')));
const against = problems(manifests, values.tag);
against.push(
  ...sums.filter((sum, i) => sum !== again.sums[i]).map((sum) => `${sum} is another when it is made again`),
);
for (const problem of against) console.error(`release: ${problem}`);
if (against.length > 0) process.exit(1);
for (const sum of sums) console.log(sum);
for (const tarball of tarballs) {
  const words = [
    'publish',
    tarball,
    '--access',
    'public',
    ...(values.publish ? ['--provenance'] : ['--dry-run', '--loglevel=warn']),
  ];
  const npm = spawnSync('npm', words, { stdio: 'inherit', shell: process.platform === 'win32' });
  if (npm.status !== 0) process.exit(npm.status ?? 1);
}
