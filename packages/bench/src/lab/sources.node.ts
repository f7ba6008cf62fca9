/** The texts of a kernel: as its file stands, and as it was committed. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { UserError } from '@hrm-webgpu/core';
import { checks } from '@hrm-webgpu/kernels/checks';

/** The checkout's. */
export const SHADERS = fileURLToPath(new URL('../../../../shaders', import.meta.url));
/** Of a kernel in the checkout. */
export const definitionOf = (kernel: string) =>
  fileURLToPath(new URL(`../../../kernels/src/defs/${kernel}.ts`, import.meta.url));

/** @throws UserError for what is no kernel, with those that sound like it */
export function expectKernel(name: string): void {
  if (Object.hasOwn(checks, name)) return;
  const alike = Object.keys(checks).filter((known) => known.includes(name) || name.includes(known));
  throw new UserError(
    `there is no kernel '${name}' in shaders/${alike.length > 0 ? `; there is ${alike.join(', ')}` : ''}`,
  );
}

/**
 * A kernel's file in a folder; undefined while there is none.
 *
 * @throws UserError where it cannot be read
 */
export async function readShader(folder: string, kernel: string): Promise<string | undefined> {
  try {
    return await readFile(join(folder, `${kernel}.wgsl`), 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new UserError(
      `${join(folder, `${kernel}.wgsl`)}: ${code === 'EISDIR' ? 'is a folder, expected a file' : message}`,
    );
  }
}

/** The committed text of a kernel, or why there is none. */
export async function committedShader(
  folder: string,
  kernel: string,
  ref: string,
): Promise<{ text: string } | { missing: string }> {
  const git = (...args: string[]) => promisify(execFile)('git', args, { cwd: folder, maxBuffer: 1 << 24 });
  try {
    const { stdout } = await git('show', `${ref}:./${kernel}.wgsl`);
    return { text: stdout };
  } catch (error) {
    const { code, stderr = '' } = error as { code?: string | number; stderr?: string };
    if (code === 'ENOENT') return { missing: 'git is not installed' };
    if (/not a git repository/.test(stderr)) return { missing: `${folder} is in no git repository` };
    return {
      missing: stderr
        .trim()
        .split('\n')[0]
        .replace(/^fatal: /, ''),
    };
  }
}

/** @throws UserError where git has no such version of a kernel, neither in the folder nor in the checkout */
export async function expectCommitted(folder: string, kernel: string, ref: string): Promise<void> {
  if (ref === '') throw new UserError('--against: name a version, such as HEAD~1');
  const own = await committedShader(folder, kernel, ref);
  if ('text' in own || 'text' in (await committedShader(SHADERS, kernel, ref))) return;
  throw new UserError(`--against ${ref}: ${own.missing}`);
}

/** Builds the packages, where the checkout is: a definition has changed. Rejects with what the compiler says. */
export async function rebuild(): Promise<void> {
  const root = dirname(SHADERS);
  try {
    await promisify(execFile)(process.execPath, [join(root, 'scripts/build.mjs')], { cwd: root });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new UserError(`${stdout}${stderr}`.trim() || String(error));
  }
}
