/**
 * Writes ZIP archives as `torch.save` does: entries stored, their data at multiples of 64 bytes, checksums in data
 * descriptors behind them (so that they pass through once), zip64 records where something exceeds 32 bits.
 * PKWARE APPNOTE 6.3.10, https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT.
 */

import { crc32 } from '../crc32.ts';

/** An entry to be written; its pieces make `size` bytes. */
export interface EntryToWrite {
  readonly name: string;
  readonly size: number;
  pieces(): Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

interface Written {
  readonly name: Uint8Array;
  readonly size: number;
  readonly crc: number;
  readonly offset: number;
}

/** As PyTorch aligns storages, so that they can be mapped into memory. */
const ALIGNMENT = 64;
/** The extra field of PyTorch's padding. */
const PADDING_ID = 0x4246;
const ZIP64_ID = 1;
const LOCAL_BYTES = 30;
/** Sizes follow the data (bit 3); names are UTF-8 (bit 11). */
const FLAGS = 0x0808;
const VERSION = 20;
const VERSION_ZIP64 = 45;
/** 1 January 1980, the first day that the format knows: the same tensors make the same file. */
const DATE = (1 << 5) | 1;
const MAX_U16 = 0xffff;
const MAX_U32 = 0xffffffff;

/** A record of little-endian fields. */
class Fields {
  private readonly bytes: number[] = [];

  u16(...values: number[]): this {
    for (const value of values) this.bytes.push(value & 0xff, (value >>> 8) & 0xff);
    return this;
  }

  u32(...values: number[]): this {
    for (const value of values) this.u16(value & 0xffff, value >>> 16);
    return this;
  }

  u64(...values: number[]): this {
    for (const value of values) this.u32(value % 2 ** 32, Math.floor(value / 2 ** 32));
    return this;
  }

  raw(bytes: Iterable<number>): this {
    this.bytes.push(...bytes);
    return this;
  }

  done(): Uint8Array {
    return Uint8Array.from(this.bytes);
  }
}

const versionFor = (zip64: boolean): number => (zip64 ? VERSION_ZIP64 : VERSION);

/** The header in front of an entry's data, padded so that they begin at a multiple of {@link ALIGNMENT}. */
function localHeader(name: Uint8Array, large: boolean, offset: number): Uint8Array {
  const zip64 = large ? new Fields().u16(ZIP64_ID, 16).u64(0, 0).done() : new Uint8Array();
  const start = offset + LOCAL_BYTES + name.length + zip64.length + 4;
  const padding = (ALIGNMENT - (start % ALIGNMENT)) % ALIGNMENT;
  return new Fields()
    .u32(0x04034b50)
    .u16(versionFor(large), FLAGS, 0, 0, DATE)
    .u32(0, large ? MAX_U32 : 0, large ? MAX_U32 : 0)
    .u16(name.length, zip64.length + 4 + padding)
    .raw(name)
    .raw(zip64)
    .u16(PADDING_ID, padding)
    .raw(new Uint8Array(padding))
    .done();
}

/** What follows an entry's data. */
function descriptor(crc: number, size: number, large: boolean): Uint8Array {
  const fields = new Fields().u32(0x08074b50, crc);
  return (large ? fields.u64(size, size) : fields.u32(size, size)).done();
}

/** An entry's record in the directory. */
function centralHeader({ name, size, crc, offset }: Written): Uint8Array {
  const short = (value: number) => Math.min(value, MAX_U32);
  const long = [size, size, offset].filter((value) => value >= MAX_U32);
  const extra = long.length ? new Fields().u16(ZIP64_ID, 8 * long.length).u64(...long) : new Fields();
  const extraBytes = extra.done();
  const version = versionFor(long.length > 0);
  return new Fields()
    .u32(0x02014b50)
    .u16(version, version, FLAGS, 0, 0, DATE)
    .u32(crc, short(size), short(size))
    .u16(name.length, extraBytes.length, 0, 0, 0)
    .u32(0, short(offset))
    .raw(name)
    .raw(extraBytes)
    .done();
}

/** The records at the end of an archive, whose directory of `size` bytes stands at `offset`. */
function endRecords(count: number, size: number, offset: number): Uint8Array {
  const fields = new Fields();
  if (count >= MAX_U16 || size >= MAX_U32 || offset >= MAX_U32) {
    fields
      .u32(0x06064b50)
      .u64(44)
      .u16(VERSION_ZIP64, VERSION_ZIP64)
      .u32(0, 0)
      .u64(count, count, size, offset)
      .u32(0x07064b50, 0)
      .u64(offset + size)
      .u32(1);
  }
  const shortCount = Math.min(count, MAX_U16);
  return fields
    .u32(0x06054b50)
    .u16(0, 0, shortCount, shortCount)
    .u32(Math.min(size, MAX_U32), Math.min(offset, MAX_U32))
    .u16(0)
    .done();
}

/**
 * The bytes of an archive, as chunks to be written one after the other.
 * @throws Error when an entry's pieces do not make its size
 */
export async function* writeZip(entries: Iterable<EntryToWrite>): AsyncGenerator<Uint8Array> {
  const written: Written[] = [];
  let at = 0;
  const count = (chunk: Uint8Array): Uint8Array => {
    at += chunk.length;
    return chunk;
  };
  for (const { name, size, pieces } of entries) {
    const offset = at;
    const encoded = new TextEncoder().encode(name);
    const large = size >= MAX_U32;
    yield count(localHeader(encoded, large, offset));
    const start = at;
    let crc = 0;
    for await (const piece of pieces()) {
      crc = crc32(piece, crc);
      yield count(piece);
    }
    if (at - start !== size) throw new Error(`entry ${name} has ${at - start} bytes, expected ${size}`);
    yield count(descriptor(crc, size, large));
    written.push({ name: encoded, size, crc, offset });
  }
  const directory = at;
  for (const entry of written) yield count(centralHeader(entry));
  yield endRecords(written.length, at - directory, directory);
}
