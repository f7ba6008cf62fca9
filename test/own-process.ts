import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Where a built package is, for modules of text. */
export const built = (name: string) =>
  JSON.stringify(fileURLToPath(new URL(`../packages/${name}/dist/index.js`, import.meta.url)));

/**
 * Runs a module in a process of its own that may `gc()`, and returns what it prints last, a line of JSON. In it `standing()` tells
 * descriptors, threads and kB that the process has (on Linux).
 *
 * @throws Error with what it printed where it ends otherwise
 */
export function inOwnProcess(body: string) {
  const source = `
    import { fstatSync, readdirSync, readFileSync } from 'node:fs';
    const standing = () => ({
      descriptors: readdirSync('/proc/self/fd').length,
      threads: readdirSync('/proc/self/task').length,
      kB: Number(readFileSync('/proc/self/status', 'utf8').match(/VmRSS:\\s+(\\d+)/)[1]),
    });
    ${body}`;
  const args = ['--expose-gc', '--input-type=module', '-e', source];
  const { stdout, stderr, status, signal } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ended with ${status ?? signal}:\n${stderr}`);
  return JSON.parse(stdout.trim().split('\n').at(-1) as string);
}
