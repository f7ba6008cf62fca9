import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@hrm-webgpu/core';

/**
 * A folder of `.wgsl` files as shaders that stand in for the engine's own, by name; kernels that are missing there are ours.
 *
 * @throws UserError where there is no such folder or it holds no shaders, and for a file that cannot stand in for a kernel
 */
export async function readShaders(folder: string): Promise<Map<string, string>> {
  let files: string[];
  try {
    files = (await readdir(folder)).filter((file) => file.endsWith('.wgsl')).sort();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reasons: Record<string, string> = { ENOENT: 'no such folder', ENOTDIR: 'is no folder' };
    throw new UserError(`${folder}: ${reasons[code ?? ''] ?? message}`);
  }
  if (files.length === 0) throw new UserError(`${folder} holds no .wgsl files`);
  const shaders = new Map<string, string>();
  for (const file of files)
    shaders.set(file.slice(0, -'.wgsl'.length), await readFile(join(folder, file), 'utf8'));
  const { checkReplacements } = await import('@hrm-webgpu/kernels/checks');
  try {
    checkReplacements(shaders);
  } catch (error) {
    throw error instanceof UserError ? new UserError(`${folder}: ${error.message}`) : error;
  }
  return shaders;
}
