/**
 * Event files as TensorBoard reads them: records of TFRecord, each a protocol buffer `Event`. Written, not read.
 *
 * A record: the length of its data (uint64), a CRC of these 8 bytes, the data, a CRC of it; all little-endian. The CRCs are
 * CRC-32C, turned right by 15 bits and raised by a constant.
 */
import { crc32c } from './crc32.ts';

/** What is common to all events: milliseconds since 1970, and the step. */
interface At {
  time: number;
  step: number;
}

/** The first record of a file. */
export function versionRecord(at: At): Uint8Array {
  return record([...head(at), ...bytesField(3, text('brain.Event:2'))]);
}

/** Tells TensorBoard that what earlier files have of steps from this one on is made again. */
export function startRecord(at: At): Uint8Array {
  const START = [...varintField(1, 1)];
  return record([...head(at), ...bytesField(7, START)]);
}

/** Numbers of a step under their tags. */
export function scalarsRecord(at: At, scalars: Readonly<Record<string, number>>): Uint8Array {
  const values = Object.entries(scalars).flatMap(([tag, value]) =>
    bytesField(1, [...bytesField(1, text(tag)), key(2, FIXED_32), ...floatBytes(value)]),
  );
  return record([...head(at), ...bytesField(5, values)]);
}

/** How values lie in a protocol buffer. */
const VARINT = 0;
const FIXED_64 = 1;
const BYTES = 2;
const FIXED_32 = 5;

const key = (field: number, type: number) => (field << 3) | type;
const text = (value: string) => [...new TextEncoder().encode(value)];
const floatBytes = (value: number) => new Uint8Array(Float32Array.of(value).buffer);

function head({ time, step }: At): number[] {
  return [key(1, FIXED_64), ...new Uint8Array(Float64Array.of(time / 1000).buffer), ...varintField(2, step)];
}

const varintField = (field: number, value: number) => [key(field, VARINT), ...varint(value)];

const bytesField = (field: number, data: readonly number[]) => [
  key(field, BYTES),
  ...varint(data.length),
  ...data,
];

/** Seven bits a byte, the lowest first. */
function varint(value: number): number[] {
  const bytes = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return [...bytes, rest];
}

function record(data: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(data.length + 16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, masked(crc32c(bytes.subarray(0, 8))), true);
  bytes.set(data, 12);
  view.setUint32(12 + data.length, masked(crc32c(bytes.subarray(12, 12 + data.length))), true);
  return bytes;
}

const masked = (crc: number) => (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
