/**
 * The directory of a ZIP archive whose entries are stored, not compressed: what `torch.save` writes. Only the
 * central directory (at the end of the file) is believed for sizes; local headers tell where the data begin.
 * PKWARE APPNOTE 6.3.10, https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT. Checksums are not
 * compared, since PyTorch can be told to leave them out.
 */

import { UserError } from '@hrm-webgpu/core';
import type { ByteSource } from '../files/byte-source.ts';
import { quoted } from '../quote.ts';

/** Where an entry's bytes lie in the archive. */
export interface ZipEntry {
  readonly offset: number;
  readonly size: number;
}

interface CentralEntry {
  readonly name: string;
  readonly size: number;
  readonly headerOffset: number;
}

interface Directory {
  readonly offset: number;
  readonly size: number;
  readonly count: number;
}

const LOCAL_SIGNATURE = 0x04034b50;
const CENTRAL_SIGNATURE = 0x02014b50;
const END_SIGNATURE = 0x06054b50;
const END64_SIGNATURE = 0x06064b50;
const LOCATOR64_SIGNATURE = 0x07064b50;
const LOCAL_BYTES = 30;
const CENTRAL_BYTES = 46;
const END_BYTES = 22;
const END64_BYTES = 56;
const LOCATOR64_BYTES = 20;
const ZIP64_EXTRA_ID = 1;

/** No checkpoint comes near; a bound on the work that a hostile file can ask for. */
const MAX_ENTRIES = 100_000;

function fail(source: ByteSource, found: string): never {
  throw new UserError(
    `${source.name}: truncated or damaged ZIP archive: ${found}. Copy or download it again.`,
  );
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A u64 as a number; beyond 2^53 inexact, and so larger than any file. */
function u64(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, true));
}

/** Where the end record starts in `tail`, the last bytes of the archive; -1 if nowhere. */
function findEnd(tail: DataView): number {
  for (let at = tail.byteLength - END_BYTES; at >= 0; at--) {
    const isEnd = tail.getUint32(at, true) === END_SIGNATURE;
    if (isEnd && at + END_BYTES + tail.getUint16(at + 20, true) === tail.byteLength) return at;
  }
  return -1;
}

/** The zip64 end record, if the archive has one: its place and the directory it describes. */
async function readEnd64(
  source: ByteSource,
  endOffset: number,
): Promise<(Directory & { at: number }) | undefined> {
  const locatorOffset = endOffset - LOCATOR64_BYTES;
  if (locatorOffset < 0) return undefined;
  const locator = viewOf(await source.read(locatorOffset, LOCATOR64_BYTES));
  if (locator.getUint32(0, true) !== LOCATOR64_SIGNATURE) return undefined;
  const at = u64(locator, 8);
  if (at + END64_BYTES > locatorOffset) fail(source, `its zip64 end record should be at byte ${at}`);
  const end = viewOf(await source.read(at, END64_BYTES));
  if (end.getUint32(0, true) !== END64_SIGNATURE) fail(source, `there is no zip64 end record at byte ${at}`);
  return { at, count: u64(end, 32), size: u64(end, 40), offset: u64(end, 48) };
}

async function findDirectory(source: ByteSource): Promise<Directory> {
  const tailSize = Math.min(source.size, END_BYTES + 0xffff);
  const tail = viewOf(await source.read(source.size - tailSize, tailSize));
  const at = findEnd(tail);
  if (at < 0) fail(source, 'it has no end record, so its end is missing');
  const endOffset = source.size - tailSize + at;
  const end64 = await readEnd64(source, endOffset);
  const choose = (what: string, short: number, sentinel: number, long: number | undefined): number => {
    if (short === sentinel && long === undefined)
      fail(source, `its zip64 end record, which tells ${what}, is missing`);
    if (short !== sentinel && short !== (long ?? short))
      fail(source, `its two end records disagree on ${what}`);
    return long ?? short;
  };
  const count = choose('the number of entries', tail.getUint16(at + 10, true), 0xffff, end64?.count);
  const size = choose("the directory's size", tail.getUint32(at + 12, true), 0xffffffff, end64?.size);
  const offset = choose("the directory's offset", tail.getUint32(at + 16, true), 0xffffffff, end64?.offset);
  if (offset + size > (end64?.at ?? endOffset)) {
    fail(source, `its directory should be ${size} bytes at byte ${offset} of ${source.size}`);
  }
  if (count * CENTRAL_BYTES > size)
    fail(source, `its directory of ${size} bytes cannot hold ${count} entries`);
  if (count > MAX_ENTRIES) fail(source, `it has ${count} entries, more than any checkpoint (${MAX_ENTRIES})`);
  return { offset, size, count };
}

/**
 * The values of the zip64 extra field among `extra`: those that did not fit their 32 bits, in a fixed order.
 */
function zip64Values(extra: DataView): number[] {
  let at = 0;
  while (at + 4 <= extra.byteLength) {
    const length = extra.getUint16(at + 2, true);
    if (extra.getUint16(at, true) === ZIP64_EXTRA_ID) {
      const values: number[] = [];
      const stop = Math.min(at + 4 + length, extra.byteLength);
      for (let value = at + 4; value + 8 <= stop; value += 8) values.push(u64(extra, value));
      return values;
    }
    at += 4 + length;
  }
  return [];
}

function checkStored(source: ByteSource, name: string, flags: number, method: number): void {
  if (flags & 1)
    throw new UserError(
      `${source.name}: entry ${quoted(name)} is encrypted. Expected what torch.save writes.`,
    );
  if (method === 0) return;
  throw new UserError(
    `${source.name}: entry ${quoted(name)} is compressed (method ${method}), expected a stored one, as torch.save ` +
      'writes. Unpack the archive and pack it again without compression (zip -0).',
  );
}

function decodeName(source: ByteSource, bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return fail(source, "an entry's name is not UTF-8");
  }
}

/** The entry at byte `at` of the directory, and where the next one starts. */
function parseCentral(
  source: ByteSource,
  bytes: Uint8Array,
  at: number,
): { entry: CentralEntry; next: number } {
  const view = viewOf(bytes);
  if (at + CENTRAL_BYTES > bytes.byteLength || view.getUint32(at, true) !== CENTRAL_SIGNATURE) {
    fail(source, `no entry at byte ${at} of its directory`);
  }
  const nameEnd = at + CENTRAL_BYTES + view.getUint16(at + 28, true);
  const extraEnd = nameEnd + view.getUint16(at + 30, true);
  const next = extraEnd + view.getUint16(at + 32, true);
  if (next > bytes.byteLength) fail(source, `the entry at byte ${at} reaches beyond its directory`);
  const name = decodeName(source, bytes.subarray(at + CENTRAL_BYTES, nameEnd));
  checkStored(source, name, view.getUint16(at + 8, true), view.getUint16(at + 10, true));
  const long = zip64Values(viewOf(bytes.subarray(nameEnd, extraEnd)));
  const widen = (short: number): number => {
    if (short !== 0xffffffff) return short;
    return long.shift() ?? fail(source, `entry ${quoted(name)} lacks its zip64 sizes`);
  };
  const size = widen(view.getUint32(at + 24, true));
  const packedSize = widen(view.getUint32(at + 20, true));
  const headerOffset = widen(view.getUint32(at + 42, true));
  if (size !== packedSize)
    fail(source, `entry ${quoted(name)} is stored, but its two sizes differ (${packedSize}, ${size})`);
  return { entry: { name, size, headerOffset }, next };
}

function parseDirectory(source: ByteSource, bytes: Uint8Array, count: number): CentralEntry[] {
  const entries: CentralEntry[] = [];
  let at = 0;
  while (entries.length < count) {
    const { entry, next } = parseCentral(source, bytes, at);
    entries.push(entry);
    at = next;
  }
  if (at !== bytes.byteLength) fail(source, `its directory has more than the ${count} entries it counts`);
  return entries;
}

/** Where the data of `entry` begin, from its local header, which must carry the same name. */
async function locateData(source: ByteSource, entry: CentralEntry, limit: number): Promise<number> {
  const { name, headerOffset } = entry;
  const encoded = new TextEncoder().encode(name);
  const dataMin = headerOffset + LOCAL_BYTES + encoded.length;
  if (dataMin > limit)
    fail(source, `the header of entry ${quoted(name)} should be at byte ${headerOffset} of ${source.size}`);
  const bytes = await source.read(headerOffset, LOCAL_BYTES + encoded.length);
  const view = viewOf(bytes);
  const sameName =
    view.getUint32(0, true) === LOCAL_SIGNATURE &&
    view.getUint16(26, true) === encoded.length &&
    encoded.every((byte, i) => byte === bytes[LOCAL_BYTES + i]);
  if (!sameName) fail(source, `the header at byte ${headerOffset} is not that of entry ${quoted(name)}`);
  const offset = dataMin + view.getUint16(28, true);
  if (offset + entry.size > limit) {
    fail(
      source,
      `entry ${quoted(name)} should be ${entry.size} bytes at byte ${offset}, beyond byte ${limit}`,
    );
  }
  return offset;
}

/**
 * Where the entries of the archive `source` lie, by name, in the order of the file.
 * @throws UserError if the archive is truncated, lies about itself, or has compressed or encrypted entries
 */
export async function readZipEntries(source: ByteSource): Promise<Map<string, ZipEntry>> {
  const directory = await findDirectory(source);
  const bytes = await source.read(directory.offset, directory.size);
  const central = parseDirectory(source, bytes, directory.count);
  const entries = new Map<string, ZipEntry>();
  let free = 0;
  for (const entry of central.toSorted((a, b) => a.headerOffset - b.headerOffset)) {
    const { name, size, headerOffset } = entry;
    if (headerOffset < free) fail(source, `entry ${quoted(name)} overlaps the one before it`);
    const offset = await locateData(source, entry, directory.offset);
    if (entries.has(name)) fail(source, `it has two entries named ${quoted(name)}`);
    entries.set(name, { offset, size });
    free = offset + size;
  }
  return entries;
}
