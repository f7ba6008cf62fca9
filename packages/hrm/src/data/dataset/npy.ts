/**
 * NumPy's .npy files, as far as datasets need them: little-endian integers and booleans in C order.
 * Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 *
 * Files come from anywhere, so the header (a Python dict literal) is matched, never evaluated.
 */

import { UserError } from '@hrm-webgpu/core';
import { oneLine } from '../../formats/quote.ts';

/** What arrays of a file become in memory: the stored type, and Int32Array for everything wider. */
export type IntegerArray = Uint8Array | Int8Array | Uint16Array | Int16Array | Int32Array;

export interface Npy {
  /** The stored type by NumPy's name, `int64` for example, whatever `data` is. */
  dtype: string;
  shape: number[];
  /** The elements in C order. */
  data: IntegerArray;
}

/** What a header tells: enough to read any part of the data. */
export interface NpyLayout {
  dtype: string;
  shape: number[];
  /** Bytes before the data. */
  start: number;
  /** Bytes of an element in the file. */
  itemBytes: number;
  /**
   * Elements from their bytes; the result shares memory with `bytes` where alignment and width allow.
   *
   * @param first the index of the first of them in the whole array, for messages
   * @throws UserError for 32-bit unsigned and 64-bit values that do not fit int32
   */
  decode(bytes: Uint8Array<ArrayBuffer>, first: number): IntegerArray;
}

interface Header {
  descr: string;
  fortranOrder: boolean;
  shape: number[];
}

interface Decoder {
  dtype: string;
  itemBytes: number;
  decode(bytes: Uint8Array<ArrayBuffer>, rowOf: RowOf): IntegerArray;
}

/** Names the row of an element, for messages. */
type RowOf = (index: number) => string;

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY
const ALIGNMENT = 64;
/** A header of ours is 118 bytes; one of megabytes is no array of integers. */
const MAX_HEADER_BYTES = 0xffff;
/** Every header that {@link parseNpyLayout} takes ends within so many bytes. */
export const NPY_HEAD_BYTES = 12 + MAX_HEADER_BYTES;

const DECODERS: Record<string, Decoder> = {
  b1: { dtype: 'bool', itemBytes: 1, decode: (b) => b },
  u1: { dtype: 'uint8', itemBytes: 1, decode: (b) => b },
  i1: { dtype: 'int8', itemBytes: 1, decode: (b) => new Int8Array(b.buffer, b.byteOffset, b.length) },
  u2: { dtype: 'uint16', itemBytes: 2, decode: (b) => new Uint16Array(...aligned(b, 2)) },
  i2: { dtype: 'int16', itemBytes: 2, decode: (b) => new Int16Array(...aligned(b, 2)) },
  i4: { dtype: 'int32', itemBytes: 4, decode: (b) => new Int32Array(...aligned(b, 4)) },
  u4: { dtype: 'uint32', itemBytes: 4, decode: (b, rowOf) => narrow(b, 'u4', rowOf) },
  i8: { dtype: 'int64', itemBytes: 8, decode: (b, rowOf) => narrow(b, 'i8', rowOf) },
  u8: { dtype: 'uint64', itemBytes: 8, decode: (b, rowOf) => narrow(b, 'u8', rowOf) },
};

/**
 * Parses a .npy file of format version 1, 2 or 3. The result shares memory with `bytes` where alignment
 * and width allow.
 *
 * @param name the file's name, for messages
 * @throws UserError as {@link parseNpyLayout}, and for 32-bit unsigned and 64-bit values that do not fit int32
 */
export function parseNpy(bytes: Uint8Array<ArrayBuffer>, name: string): Npy {
  const { dtype, shape, start, decode } = parseNpyLayout(bytes, bytes.length, name);
  return { dtype, shape, data: decode(bytes.subarray(start), 0) };
}

/**
 * Parses the header of a .npy file.
 *
 * @param head the file's first {@link NPY_HEAD_BYTES}, or all of a shorter file
 * @param size the file's length
 * @throws UserError for anything but a whole, little-endian, C-order array of integers or booleans
 */
export function parseNpyLayout(head: Uint8Array, size: number, name: string): NpyLayout {
  const header = findHeader(head, name);
  const text = new TextDecoder('latin1').decode(head.subarray(header.start, header.end));
  const { descr, fortranOrder, shape } = parseHeader(text, name);
  if (fortranOrder) {
    throw new UserError(
      `${name}: the array is in Fortran order, expected C order. Save it with np.save(path, np.ascontiguousarray(array)).`,
    );
  }
  const { dtype, itemBytes, decode } = decoderFor(descr, name);
  const expected = shape.reduce((product, size) => product * size, itemBytes);
  if (size - header.end !== expected) {
    throw new UserError(
      `${name}: holds ${size - header.end} bytes of data, but its shape (${shape.join(', ')}) of ${dtype} ` +
        `needs ${expected}. The file is damaged or cut short: copy or build it again.`,
    );
  }
  const rowSize = shape.slice(1).reduce((product, size) => product * size, 1);
  const rowFrom = (first: number) => (index: number) =>
    `${name}, row ${Math.floor((first + index) / rowSize)}`;
  return {
    ...{ dtype, shape, start: header.end, itemBytes },
    decode: (bytes, first) => decode(bytes, rowFrom(first)),
  };
}

/**
 * The bytes of a version 1 .npy file with the array's own type.
 *
 * @param data elements in C order; as many as the product of `shape`
 */
export function encodeNpy(data: IntegerArray, shape: number[]): Uint8Array<ArrayBuffer> {
  const count = shape.reduce((product, size) => product * size, 1);
  if (data.length !== count) {
    throw new UserError(`npy: ${data.length} values do not fill the shape (${shape.join(', ')}).`);
  }
  const header = encodeNpyHeader(descrOf(data), shape);
  const bytes = new Uint8Array(header.length + data.byteLength);
  bytes.set(header);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), header.length);
  return bytes;
}

/**
 * What stands before the data in a version 1 .npy file.
 *
 * @param descr NumPy's name of the type: `|u1`, `<i4`
 */
export function encodeNpyHeader(descr: string, shape: number[]): Uint8Array<ArrayBuffer> {
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const dict = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${tuple}), }`;
  const preamble = MAGIC.length + 4;
  const end = Math.ceil((preamble + dict.length + 1) / ALIGNMENT) * ALIGNMENT;
  const text = `${dict.padEnd(end - preamble - 1)}\n`;

  const header = new Uint8Array(end);
  header.set(MAGIC);
  header.set([1, 0, text.length & 0xff, text.length >> 8], MAGIC.length);
  header.set(new TextEncoder().encode(text), preamble);
  return header;
}

function descrOf(data: IntegerArray): string {
  const kind = data instanceof Uint8Array || data instanceof Uint16Array ? 'u' : 'i';
  return `${data.BYTES_PER_ELEMENT === 1 ? '|' : '<'}${kind}${data.BYTES_PER_ELEMENT}`;
}

/** Where the header's text starts and where it ends (and the data begins). */
function findHeader(bytes: Uint8Array, name: string): { start: number; end: number } {
  if (bytes.length < 10 || MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw new UserError(
      `${name}: is not a .npy file (${bytes.length} bytes that do not start with \\x93NUMPY). Save it with np.save.`,
    );
  }
  const version = bytes[6];
  if (version < 1 || version > 3) {
    throw new UserError(`${name}: is of .npy format version ${version}, expected 1, 2 or 3.`);
  }
  const start = version === 1 ? 10 : 12;
  const length =
    bytes[8] +
    bytes[9] * 2 ** 8 +
    (version === 1 ? 0 : (bytes[10] ?? 0) * 2 ** 16 + (bytes[11] ?? 0) * 2 ** 24);
  if (length > MAX_HEADER_BYTES) {
    throw new UserError(`${name}: claims a header of ${length} bytes, which no array of integers has.`);
  }
  if (start + length > bytes.length) {
    throw new UserError(`${name}: ends within its header. The file is cut short: copy or build it again.`);
  }
  return { start, end: start + length };
}

// One `'key': value` with its comma (or just before the closing brace); a value is a string, a bool or a
// tuple of integers. Groups: 2 key, 4 string, 5 bool, 6 tuple.
const ENTRY = /\s*(['"])(\w+)\1\s*:\s*(?:(['"])([^'"]*)\3|(True|False)|\(([^()]*)\))\s*(?:,|(?=\}))/y;
const CLOSING = /\s*\}\s*$/y;
const TUPLE = /^\s*(?:\d+L?\s*,\s*)*(?:\d+L?\s*)?$/;

/** Parses `{'descr': '<i4', 'fortran_order': False, 'shape': (2, 3), }`: exactly these keys, any order. */
function parseHeader(text: string, name: string): Header {
  const malformed = () =>
    new UserError(
      `${name}: has the header ${JSON.stringify(text.trim().slice(0, 120))}, expected descr (a simple type), ` +
        'fortran_order and shape. Save a plain array of integers with np.save.',
    );
  const header: Partial<Header> = {};
  let at = 1;
  if (text[0] !== '{') throw malformed();
  for (;;) {
    ENTRY.lastIndex = at;
    const entry = ENTRY.exec(text);
    if (!entry) break;
    const [, , key, , string, bool, tuple] = entry;
    if (key === 'descr' && string !== undefined) header.descr = string;
    else if (key === 'fortran_order' && bool) header.fortranOrder = bool === 'True';
    else if (key === 'shape' && tuple !== undefined && TUPLE.test(tuple)) header.shape = parseTuple(tuple);
    else throw malformed();
    at = ENTRY.lastIndex;
  }
  CLOSING.lastIndex = at;
  const { descr, fortranOrder, shape } = header;
  if (!CLOSING.test(text) || descr === undefined || fortranOrder === undefined || !shape) throw malformed();
  return { descr, fortranOrder, shape };
}

/** `2, 3`, `2,` or nothing; Python 2 wrote `2L`. */
function parseTuple(text: string): number[] {
  return (text.match(/\d+/g) ?? []).map(Number);
}

function decoderFor(descr: string, name: string): Decoder {
  const [, order, kind] = /^([<>|=])?([iub][1248])$/.exec(descr) ?? [];
  const decoder = DECODERS[kind];
  if (!decoder) {
    throw new UserError(
      `${name}: has the type '${oneLine(descr)}', expected integers or booleans. Convert it with array.astype(np.int32).`,
    );
  }
  if (decoder.itemBytes > 1 && order !== '<') {
    throw new UserError(
      `${name}: has the type '${oneLine(descr)}', expected little-endian. Convert it with array.astype('<${kind}').`,
    );
  }
  return decoder;
}

/** Arguments of a typed array constructor over `bytes`, which are copied only where they lie askew. */
function aligned(bytes: Uint8Array<ArrayBuffer>, itemBytes: number): [ArrayBuffer, number, number] {
  const whole = bytes.byteOffset % itemBytes === 0 ? bytes : bytes.slice();
  return [whole.buffer, whole.byteOffset, whole.length / itemBytes];
}

/** Values of a type wider than int32 as int32. */
function narrow(bytes: Uint8Array<ArrayBuffer>, kind: 'u4' | 'i8' | 'u8', rowOf: RowOf): Int32Array {
  const words = new Int32Array(...aligned(bytes, 4));
  if (kind === 'u4') {
    for (let i = 0; i < words.length; i++) {
      if (words[i] < 0) throw outOfRange(String(words[i] >>> 0), rowOf(i));
    }
    return words;
  }
  const data = new Int32Array(words.length / 2);
  for (let i = 0; i < data.length; i++) {
    const low = words[2 * i];
    const high = words[2 * i + 1];
    // int32 in 64 bits: the high word repeats the sign; of a uint64 it must be 0.
    if (high !== low >> 31 || (kind === 'u8' && high !== 0)) {
      const bits = (BigInt(high) << 32n) | BigInt(low >>> 0);
      throw outOfRange(String(kind === 'u8' ? BigInt.asUintN(64, bits) : bits), rowOf(i));
    }
    data[i] = low;
  }
  return data;
}

function outOfRange(value: string, place: string): UserError {
  return new UserError(`${place}: ${value} does not fit a 32-bit signed integer.`);
}
