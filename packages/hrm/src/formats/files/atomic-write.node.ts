/** Writing a file so that a crash leaves either the old file or the new one, never a part. Node only. */

import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileError } from './file-error.node.ts';

/** Node refuses a single write of 2 GiB or more. */
const LARGEST_WRITE = 2 ** 30;

/** Folders that cannot be synced: Windows, some network file systems, a folder that may not be listed. */
const FOLDER_SYNC_REFUSALS = new Set(['EISDIR', 'EPERM', 'EACCES', 'EINVAL', 'ENOTSUP']);

/** What a file is called until it is whole: another each time, in every process. */
export const temporaryName = (path: string) => `${path}.${randomUUID().slice(0, 8)}.tmp`;

/** How such names end, by which what a killed process left is known. */
export const TEMPORARY = /\.[0-9a-f]{8}\.tmp$/;

type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

async function writeChunks(handle: FileHandle, chunks: Chunks): Promise<void> {
  for await (const chunk of chunks) {
    let done = 0;
    while (done < chunk.byteLength) {
      const { bytesWritten } = await handle.write(
        chunk,
        done,
        Math.min(chunk.byteLength - done, LARGEST_WRITE),
      );
      done += bytesWritten;
    }
  }
}

/** Flushes what a file holds to the device. */
export async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Flushes the names in a folder to the device, where the system can. */
export async function syncFolder(folder: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(folder, 'r');
    await handle.sync();
  } catch (error) {
    if (!FOLDER_SYNC_REFUSALS.has(String((error as NodeJS.ErrnoException).code))) throw error;
  } finally {
    await handle?.close();
  }
}

/**
 * Writes `chunks`, one after the other, as the file `path`. They go to a new file in the same folder, which
 * is flushed to the device and then renamed over `path`; the folder is flushed last, so that the rename lasts
 * too. If anything fails the new file is removed and an old `path` is as it was.
 * @throws UserError for a full or read-only device, a missing folder, no permission; what `chunks` throws,
 * unchanged
 */
export async function writeFileAtomic(path: string, chunks: Chunks): Promise<void> {
  const temporary = temporaryName(path);
  try {
    const handle = await open(temporary, 'wx');
    try {
      await writeChunks(handle, chunks);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (cause) {
    // A failed clean-up must not hide why the write failed.
    await rm(temporary, { force: true }).catch(() => {});
    throw fileError('cannot write', path, cause);
  }
  await syncFolder(dirname(path)).catch((cause) => {
    throw fileError('cannot write', path, cause);
  });
}
