/**
 * Random access to the bytes of a file, wherever they are: memory, a browser's `Blob`, or (in
 * `file-source.node.ts`) a file on disk. Readers ask for what they need, so that a checkpoint of
 * gigabytes is never held whole.
 */

import { UserError } from '@hrm-webgpu/core';

/** A named, sized sequence of bytes. */
export interface ByteSource {
  /** What messages call it: usually the file's path. */
  readonly name: string;
  /** Bytes in all. */
  readonly size: number;
  /**
   * `length` bytes from `offset`, in a fresh array that belongs to the caller.
   * @param into where a source may put them instead, if it is long enough: spares memory that would wait to be collected
   * @throws UserError if they reach outside the source, or cannot be read
   */
  read(offset: number, length: number, into?: Uint8Array): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Refuses a read that reaches outside the source. */
export function checkRange(source: { name: string; size: number }, offset: number, length: number): void {
  const legal = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0;
  if (legal && offset + length <= source.size) return;
  throw new UserError(
    `${source.name}: truncated or damaged: ${length} bytes are needed at offset ${offset}, but the file has ` +
      `${source.size} bytes. Copy or download it again.`,
  );
}

/** Bytes that are read at a time: few enough that no conversion of them holds up a page. */
export const PIECE_BYTES = 2 ** 20;

/**
 * `length` bytes from `offset`, in pieces of `PIECE_BYTES`; the last may be shorter.
 *
 * @param into memory that all pieces may share: each is then good until the next is asked for
 */
export async function* readPieces(
  source: ByteSource,
  offset: number,
  length: number,
  into?: Uint8Array,
): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < length; at += PIECE_BYTES) {
    yield await source.read(offset + at, Math.min(PIECE_BYTES, length - at), into);
  }
}

/** A source over bytes in memory. They are not copied, so leave them unchanged while the source is in use. */
export function bytesSource(bytes: Uint8Array, name: string): ByteSource {
  const source = { name, size: bytes.byteLength };
  return {
    ...source,
    read: async (offset, length) => {
      checkRange(source, offset, length);
      return new Uint8Array(bytes.subarray(offset, offset + length));
    },
    close: async () => {},
  };
}

/** A source over a `Blob`, such as a `File` that was dropped on a page; `name` is what messages call it. */
export function blobSource(blob: Blob, name: string): ByteSource {
  const source = { name, size: blob.size };
  return {
    ...source,
    read: async (offset, length) => {
      checkRange(source, offset, length);
      try {
        return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
      } catch (cause) {
        // A browser refuses with NotReadableError once the file behind the Blob has changed or gone.
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new UserError(`${name}: cannot be read any more (${reason}). Choose the file again.`, {
          cause,
        });
      }
    },
    close: async () => {},
  };
}

/**
 * All of a source as text; closes it.
 * @throws UserError if it cannot be read
 */
export async function readText(source: ByteSource): Promise<string> {
  try {
    return new TextDecoder().decode(await source.read(0, source.size));
  } finally {
    await source.close();
  }
}
