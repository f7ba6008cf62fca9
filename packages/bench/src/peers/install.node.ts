/** The peers' packages, in `packages/bench/peers`, installed when they are first needed. Node only. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '@hrm-webgpu/core';

export const PEERS_FOLDER = fileURLToPath(new URL('../../peers/', import.meta.url));

/** Where the npm package `node` puts its binary: jax-js needs Node 22 (iterator helpers). */
const nodeBinary = (folder: string) =>
  join(folder, 'node_modules/node/bin', process.platform === 'win32' ? 'node.exe' : 'node');

/**
 * Installs what the folder's lock file names, unless it is there, and returns the path of its Node.
 *
 * @param npm the npm command with its first arguments
 * @throws UserError when npm fails, with the end of what it said
 */
export async function installPeers(
  note: (text: string) => void,
  folder = PEERS_FOLDER,
  npm: readonly string[] = ['npm'],
): Promise<string> {
  const node = nodeBinary(folder);
  if (isInstalled(folder) && existsSync(node)) return node;
  note('installing the peers (npm ci in packages/bench/peers, about 400 MB)…');
  const [command, ...first] = npm;
  const said = await output(command, [...first, 'ci', '--no-audit', '--no-fund', '--prefix', folder], folder);
  if (said !== undefined || !existsSync(node)) {
    const reason =
      said ?? `there is no ${node} afterwards; were install scripts switched off (ignore-scripts)?`;
    throw new UserError(
      `The peers to compare with could not be installed: ${reason}\n` +
        'They come from the npm registry; once it can be reached, run the benchmark again.',
    );
  }
  return node;
}

/** Whether every package that the lock file pins is there in that version. */
function isInstalled(folder: string): boolean {
  const { dependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return Object.entries(dependencies).every(([name, version]) => {
    const file = join(folder, 'node_modules', name, 'package.json');
    return existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).version === version;
  });
}

/** Runs a program. Undefined when it succeeds, else the end of what it said. */
function output(command: string, args: readonly string[], cwd: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32', // npm is a .cmd there
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-2000);
      });
    }
    child.on('error', ({ message }) => resolve(message));
    child.on('close', (code) =>
      resolve(code === 0 ? undefined : `npm ci ended with ${code}:\n${said.trim()}`),
    );
  });
}
