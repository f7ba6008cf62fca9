/** A file that grows by rows, in writes of a megabyte. Node only. */

import { type FileHandle, open } from 'node:fs/promises';
import { encodeNpyHeader } from './npy.ts';

/** Rows of a kilobyte or two would cost a system call each. */
const CHUNK_BYTES = 2 ** 20;

/** Writes bytes at the end of a new file, a chunk at a time. */
export class RowFile {
  private readonly chunk = new Uint8Array(CHUNK_BYTES);
  private used = 0;
  private position: number;

  /**
   * @param start bytes left free for {@link RowFile.finish} to fill
   * @param signal once it is aborted, the next write throws its reason
   */
  private constructor(
    private readonly handle: FileHandle,
    private readonly start: number,
    private readonly signal?: AbortSignal,
  ) {
    this.position = start;
  }

  static async open(path: string, start: number, signal?: AbortSignal): Promise<RowFile> {
    return new RowFile(await open(path, 'wx'), start, signal);
  }

  /** Takes a copy of `bytes`. */
  async append(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const part = bytes.subarray(done, done + CHUNK_BYTES - this.used);
      this.chunk.set(part, this.used);
      this.used += part.length;
      done += part.length;
      if (this.used === CHUNK_BYTES) await this.flush();
    }
  }

  /** Writes what is left, then `header` at the start, and waits until all of it is on the device. */
  async finish(header = new Uint8Array(0)): Promise<void> {
    if (header.length !== this.start) throw new Error(`header of ${header.length} bytes, not ${this.start}`);
    await this.flush();
    await writeAll(this.handle, header, 0);
    await this.handle.sync();
    await this.close();
  }

  /** Closes the file as it is; may be called again. */
  close(): Promise<void> {
    return this.handle.close();
  }

  private async flush(): Promise<void> {
    this.signal?.throwIfAborted();
    await writeAll(this.handle, this.chunk.subarray(0, this.used), this.position);
    this.position += this.used;
    this.used = 0;
  }
}

/** Headers are padded to 64 bytes, and whatever the sizes in their text, that makes two of them. */
const NPY_HEADER_BYTES = 128;

/** A .npy array whose number of rows is known only at the end. */
export class NpyFile {
  private constructor(
    private readonly file: RowFile,
    private readonly descr: '|u1' | '<i4',
  ) {}

  /** @param descr the type by NumPy's name */
  static async open(path: string, descr: '|u1' | '<i4', signal?: AbortSignal): Promise<NpyFile> {
    return new NpyFile(await RowFile.open(path, NPY_HEADER_BYTES, signal), descr);
  }

  /** Takes a copy of `values`. */
  append(values: Uint8Array | Int32Array): Promise<void> {
    return this.file.append(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }

  finish(shape: number[]): Promise<void> {
    return this.file.finish(encodeNpyHeader(this.descr, shape));
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}
