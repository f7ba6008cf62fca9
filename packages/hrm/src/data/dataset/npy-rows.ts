/** Rows of tokens that stay in their file, wherever that is, and are read when they are asked for. */

import { NPY_HEAD_BYTES, parseNpyLayout } from './npy.ts';
import { checkRows, checkTokenShape, type TokenRows } from './token-rows.ts';

/** A file that is read in parts, at once: on disk, or in a browser's worker a `Blob` by `FileReaderSync`. */
export interface SyncFile {
  /** What messages call it. */
  readonly name: string;
  /** Bytes in all. */
  readonly size: number;
  /** `length` bytes from `offset`, which the next call may overwrite. */
  read(offset: number, length: number): Uint8Array<ArrayBuffer>;
}

/**
 * The rows of a .npy file of inputs or labels; its header is read now.
 *
 * @param columns tokens in a row
 * @throws UserError for anything but a whole array of integers with such rows
 */
export function npyRows(file: SyncFile, columns: number): TokenRows {
  const { name, size } = file;
  const head = file.read(0, Math.min(size, NPY_HEAD_BYTES));
  const { shape, start, itemBytes, decode } = parseNpyLayout(head, size, name);
  checkTokenShape(shape, columns, name);
  const rows = { count: shape[0], columns };
  return {
    ...rows,
    read(first, count = 1) {
      checkRows(rows, first, count);
      const rowBytes = columns * itemBytes;
      return decode(file.read(start + first * rowBytes, count * rowBytes), first * columns);
    },
  };
}
