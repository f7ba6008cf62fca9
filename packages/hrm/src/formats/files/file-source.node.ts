/** A {@link ByteSource} over a file on disk. Node only. */

import { type FileHandle, open, stat } from 'node:fs/promises';
import { UserError } from '@hrm-webgpu/core';
import { type ByteSource, checkRange, readText } from './byte-source.ts';
import { fileError } from './file-error.node.ts';

/** Node refuses a single read of 2 GiB or more. */
const LARGEST_READ = 2 ** 30;

async function readFully(
  handle: FileHandle,
  name: string,
  offset: number,
  length: number,
  into: Uint8Array | undefined,
): Promise<Uint8Array> {
  const bytes = into && into.length >= length ? into.subarray(0, length) : new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const wanted = Math.min(length - done, LARGEST_READ);
    const { bytesRead } = await handle.read(bytes, done, wanted, offset + done);
    if (bytesRead === 0) {
      throw new UserError(
        `${name}: became shorter while it was being read. Wait until it is written, then try again.`,
      );
    }
    done += bytesRead;
  }
  return bytes;
}

/**
 * Opens the file at `path` for reading; close the source when done.
 * @throws UserError if it is missing, a folder, or not readable
 */
export async function fileSource(path: string): Promise<ByteSource> {
  const attempt = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (cause) {
      throw fileError('cannot read', path, cause);
    }
  };
  // Before opening: to open a pipe is to wait for its writer.
  const info = await attempt(() => stat(path));
  if (!info.isFile()) {
    const kind = info.isDirectory() ? 'a folder' : 'a device or a pipe';
    throw new UserError(`${path}: is ${kind}, expected a file. Name the file itself.`);
  }
  const handle = await attempt(() => open(path, 'r'));
  const source = { name: path, size: info.size };
  return {
    ...source,
    read: async (offset, length, into) => {
      checkRange(source, offset, length);
      return attempt(() => readFully(handle, path, offset, length, into));
    },
    close: () => handle.close(),
  };
}

/**
 * The text of a file.
 * @throws UserError if it is missing, a folder, or not readable
 */
export async function readTextFile(path: string): Promise<string> {
  return readText(await fileSource(path));
}
