/** Downloads in Node, where a Blob would be held in memory, several times over while it is made. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '@hrm-webgpu/core';
import { fetchWhole } from '../data/input/download.node.ts';
import type { ByteSource } from '../formats/files/byte-source.ts';
import { fileError } from '../formats/files/file-error.node.ts';
import { fileSource } from '../formats/files/file-source.node.ts';
import type { OpenOptions } from './open-url.ts';

/**
 * Downloads the file behind a URL to a temporary file, which is removed when the source is closed.
 *
 * @throws UserError when it cannot be downloaded or there is no room for it; the signal's reason when aborted
 */
export async function downloadUrl(url: URL, options: OpenOptions): Promise<ByteSource> {
  const folder = await makeTemporary();
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const path = join(folder, 'checkpoint');
    await fetchWhole(url.href, path, options);
    const source = await fileSource(path);
    return {
      ...source,
      name: url.href,
      close: async () => {
        await source.close();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw withWayOut(error);
  }
}

async function makeTemporary(): Promise<string> {
  const prefix = join(tmpdir(), 'hrm-url-');
  try {
    return await mkdtemp(prefix);
  } catch (cause) {
    throw withWayOut(fileError('cannot make the folder', prefix, cause));
  }
}

/** Says how to choose another folder than the one that an error of the file system is about. */
function withWayOut(error: unknown): unknown {
  const ofFile = error instanceof UserError && error.cause instanceof Error && 'syscall' in error.cause;
  if (!ofFile) return error;
  const variable = process.platform === 'win32' ? 'TEMP' : 'TMPDIR';
  return new UserError(
    `${error.message} Downloads go there for as long as they are in use; the environment variable ${variable} names ` +
      'another folder.',
    { cause: error.cause },
  );
}
