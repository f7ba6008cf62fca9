// The tools that only some checks need (tools/package.json), installed when the first of them asks.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../tools/', import.meta.url));

function isInstalled() {
  const { dependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return Object.entries(dependencies).every(([name, version]) => {
    const file = join(folder, 'node_modules', name, 'package.json');
    return existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).version === version.split('@').at(-1);
  });
}

/** Installs what the folder's lock file names, unless it is there; returns the programs. */
export function installTools(say = () => {}) {
  if (!isInstalled()) {
    say('installing the tools for checks (npm ci in tools, about 140 MB)…');
    const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
      cwd: folder,
      encoding: 'utf8',
      shell: process.platform === 'win32',
    });
    if (npm.status !== 0)
      throw new Error(`npm ci in tools failed:\n${npm.error?.message ?? npm.stderr.trim()}`);
  }
  const module = (path) => join(folder, 'node_modules', path);
  return {
    deno: module(process.platform === 'win32' ? 'deno/deno.exe' : 'deno/deno'),
    tsc: module('typescript-5/bin/tsc'),
    typedoc: module('typedoc/bin/typedoc'),
  };
}
