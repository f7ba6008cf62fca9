/** Rows of tokens that stay on disk and are read when they are asked for. Node only. */

import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { UserError } from '@hrm-webgpu/core';
import { fileError } from '../../formats/files/file-error.node.ts';
import type { IntegerArray } from '../dataset/npy.ts';
import { npyRows } from '../dataset/npy-rows.ts';
import type { TokenRows } from '../dataset/token-rows.ts';

/** Node refuses a single read of 2 GiB or more. */
const LARGEST_READ = 2 ** 30;

/**
 * The rows of a .npy file, which is open until it is closed. Reads are synchronous: rows are small and mostly in the
 * system's cache, where a detour through the event loop would cost several times the reading.
 */
export class TokenFile implements TokenRows {
  readonly count: number;
  private readonly rows: TokenRows;
  private closed = false;
  /** As large as the largest read so far. */
  private buffer = new Uint8Array(0);

  private constructor(
    private readonly path: string,
    private readonly fd: number,
    readonly columns: number,
  ) {
    const { size } = fstatSync(fd);
    this.rows = npyRows({ name: path, size, read: (offset, length) => this.bytes(offset, length) }, columns);
    this.count = this.rows.count;
  }

  /**
   * @param columns tokens in a row
   * @throws UserError for anything but a whole array of integers with such rows; the system's own error where the file
   *   cannot be opened
   */
  static open(path: string, columns: number): TokenFile {
    // Before opening: to open a pipe is to wait for its writer.
    if (!statSync(path).isFile())
      throw new UserError(`${path}: cannot be read, it is no file. Check the path.`);
    const fd = openSync(path, 'r');
    try {
      return new TokenFile(path, fd, columns);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  read(first: number, count = 1): IntegerArray {
    // The system may have given the number of a closed file to another one.
    if (this.closed) throw new Error(`${this.path}: is read after it was closed`);
    return this.rows.read(first, count);
  }

  private bytes(offset: number, length: number): Uint8Array<ArrayBuffer> {
    if (this.buffer.length < length) this.buffer = new Uint8Array(length);
    const bytes = this.buffer.subarray(0, length);
    readFully(this.fd, bytes, offset, this.path);
    return bytes;
  }

  /** May be called again. */
  close(): void {
    if (!this.closed) closeSync(this.fd);
    this.closed = true;
  }
}

/** @throws UserError if the file ends before `bytes` is full, or fails */
function readFully(fd: number, bytes: Uint8Array, position: number, path: string): void {
  for (let done = 0; done < bytes.length; ) {
    const read = readPart(fd, bytes, done, position, path);
    if (read === 0) {
      throw new UserError(
        `${path}: became shorter while in use: there is nothing at byte ${position + done} any more. ` +
          'Leave the files of a dataset alone while it is in use; copy or build it again.',
      );
    }
    done += read;
  }
}

function readPart(fd: number, bytes: Uint8Array, done: number, position: number, path: string): number {
  try {
    return readSync(fd, bytes, done, Math.min(bytes.length - done, LARGEST_READ), position + done);
  } catch (cause) {
    throw fileError('cannot read', path, cause);
  }
}
