/** Text files of any size, some lines at a time. Node only. */

import { open, stat } from 'node:fs/promises';
import { UserError } from '@hrm-webgpu/core';
import { fileError } from '../../formats/files/file-error.node.ts';

/** Consecutive lines of a file, without their ends. */
export interface LineBlock {
  lines: string[];
  /** The number of the first line, counted from 1. */
  first: number;
  /** Bytes of the file before these lines, their own, and of all of it. */
  bytes: { before: number; these: number; all: number };
}

const BLOCK_BYTES = 2 ** 20;

/** A 30×30 ARC example is 5 kB: whoever writes longer lines than this did not write lines. */
const MAX_LINE_BYTES = 2 ** 24;

const NEWLINE = 0x0a;

/**
 * Reads a UTF-8 file; lines end in LF or CRLF, a byte order mark is dropped.
 *
 * @throws UserError for a file that cannot be read, is empty, is not UTF-8 or has a line of over 16 MiB
 */
export async function* readLines(path: string): AsyncGenerator<LineBlock> {
  let first = 1;
  let before = 0;
  const { size } = await stat(path).catch((cause) => {
    throw fileError('cannot read', path, cause);
  });
  for await (const bytes of wholeLines(path, () => first)) {
    const text = decode(bytes, path, first);
    const lines = text.split(/\r?\n/);
    // What follows the last line end is no line.
    if (lines.at(-1) === '') lines.pop();
    yield { lines, first, bytes: { before, these: bytes.length, all: size } };
    first += lines.length;
    before += bytes.length;
  }
}

/** The file in pieces that end with a line's end, the last one perhaps without. */
async function* wholeLines(path: string, lineNumber: () => number): AsyncGenerator<Uint8Array> {
  const file = await open(path).catch((cause) => {
    throw fileError('cannot read', path, cause);
  });
  try {
    let open = new Uint8Array(0); // begun, end not seen yet
    let empty = true;
    for (;;) {
      const { bytesRead, buffer } = await file.read(new Uint8Array(BLOCK_BYTES), 0, BLOCK_BYTES);
      if (bytesRead === 0) break;
      empty = false;
      const block = buffer.subarray(0, bytesRead);
      const end = block.lastIndexOf(NEWLINE) + 1;
      if (end > 0) yield joined(open, block.subarray(0, end));
      open = end > 0 ? block.slice(end) : joined(open, block);
      if (open.length > MAX_LINE_BYTES) throw tooLong(path, lineNumber());
    }
    if (empty) throw new UserError(`${path}: is empty. Check that it was copied or downloaded whole.`);
    if (open.length > 0) yield open;
  } catch (cause) {
    throw fileError('cannot read', path, cause);
  } finally {
    await file.close();
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

function decode(bytes: Uint8Array, path: string, first: number): string {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    return decoder.decode(bytes);
  } catch {
    // A byte of a line's end is never part of another character, so lines can be tried one by one.
    for (let start = 0, line = first; start < bytes.length; line++) {
      const newline = bytes.indexOf(NEWLINE, start);
      const end = newline < 0 ? bytes.length : newline + 1;
      try {
        decoder.decode(bytes.subarray(start, end));
      } catch {
        throw new UserError(`${path}, line ${line}: is not UTF-8 text. Save the file as UTF-8.`);
      }
      start = end;
    }
    throw new UserError(`${path}: is not UTF-8 text. Save the file as UTF-8.`);
  }
}

function tooLong(path: string, line: number): UserError {
  return new UserError(
    `${path}, line ${line}: is longer than ${MAX_LINE_BYTES / 2 ** 20} MiB. Expected a text file of lines: check its format.`,
  );
}
