/**
 * The safetensors format: the length of a JSON header (u64, little-endian), the header, then the tensors'
 * bytes. https://huggingface.co/docs/safetensors. Offsets count from the end of the header, and the tensors
 * must cover the rest of the file without holes or overlaps.
 */

import { UserError } from '@hrm-webgpu/core';
import { checkedPieces, checksumsIn, faultOfHeader, sealHeader } from './checksums.ts';
import { type DType, dtypeBytes, isDType } from './dtype.ts';
import { type ByteSource, readPieces } from './files/byte-source.ts';
import { parseJson } from './json.ts';
import { publishedName } from './published-name.ts';
import { quoted, valueText } from './quote.ts';
import { isCount, isRecord } from './record-rules.ts';
import {
  elementCount,
  type StoredTensor,
  type TensorFile,
  type TensorInfo,
  tensorFile,
} from './tensor-file.ts';

/** The reference implementation's limit. */
const MAX_HEADER_BYTES = 100_000_000;
const METADATA_KEY = '__metadata__';

interface Placed {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

function fail(source: ByteSource, found: string): never {
  throw new UserError(
    `${source.name}: damaged safetensors file: ${found}. Copy or download it again, or write it anew.`,
  );
}

/**
 * A key that the object written in `json` (which must be valid) has twice; `JSON.parse` keeps the last
 * silently.
 */
function duplicateKey(json: string): string | undefined {
  const seen = new Set<string>();
  let depth = 0;
  let previous = '';
  for (let i = 0; i < json.length; i++) {
    const character = json[i];
    if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') depth--;
    else if (character === '"') {
      const start = i++;
      while (json[i] !== '"') i += json[i] === '\\' ? 2 : 1;
      if (depth === 1 && previous !== ':') {
        const key = JSON.parse(json.slice(start, i + 1)) as string;
        if (seen.has(key)) return key;
        seen.add(key);
      }
    }
    if (character.trim()) previous = character;
  }
  return undefined;
}

interface Header {
  header: Record<string, unknown>;
  metadata: Record<string, string>;
  dataStart: number;
}

async function readHeader(source: ByteSource): Promise<Header> {
  if (source.size < 8) fail(source, `it has ${source.size} bytes, less than the 8 of the header's length`);
  const prefix = await source.read(0, 8);
  const length = Number(new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true));
  if (length > source.size - 8) {
    fail(source, `truncated: its header should have ${length} bytes, but only ${source.size - 8} follow`);
  }
  if (length > MAX_HEADER_BYTES)
    fail(source, `its header has ${length} bytes, at most ${MAX_HEADER_BYTES} are allowed`);
  const bytes = await source.read(8, length);
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    header = parseJson(text);
  } catch (cause) {
    fail(source, `its header is not JSON (${(cause as Error).message})`);
  }
  if (!isRecord(header)) fail(source, 'its header is not a JSON object');
  const twice = duplicateKey(text);
  if (twice !== undefined) fail(source, `its header names ${quoted(twice)} twice`);
  const metadata = checkMetadata(source, METADATA_KEY in header ? header[METADATA_KEY] : {});
  const fault = faultOfHeader(bytes, metadata);
  if (fault) fail(source, fault);
  return { header, metadata, dataStart: 8 + length };
}

function place(source: ByteSource, name: string, entry: unknown, dataSize: number): Placed {
  const label = `tensor ${quoted(name)}`;
  if (!isRecord(entry)) fail(source, `${label} is not described by an object`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (!isDType(dtype)) fail(source, `${label} has dtype ${valueText(dtype)}, which is not supported`);
  if (!Array.isArray(shape) || !shape.every(isCount)) {
    fail(source, `the shape of ${label} is not a list of non-negative integers`);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    fail(source, `the data_offsets of ${label} are not two non-negative integers`);
  }
  const [begin, end] = offsets as [number, number];
  if (begin > end || end > dataSize) {
    fail(
      source,
      `${label} lies at bytes ${begin} to ${end} of ${dataSize} (out of range, or the file is truncated)`,
    );
  }
  const needed = elementCount(shape) * dtypeBytes(dtype);
  if (needed !== end - begin) {
    fail(
      source,
      `${label} of shape [${shape.slice(0, 8)}] and type ${dtype} needs ${needed} bytes, but has ${end - begin}`,
    );
  }
  return { name, dtype, shape, begin, end };
}

/** Checks that `placed`, sorted by place, cover the data without holes or overlaps. */
function checkCoverage(source: ByteSource, placed: readonly Placed[], dataSize: number): void {
  let covered = 0;
  for (const { name, begin, end } of placed) {
    if (begin !== covered) {
      const problem =
        begin < covered ? 'overlaps the tensor before it' : `leaves a hole after byte ${covered}`;
      fail(source, `tensor ${quoted(name)} at byte ${begin} ${problem}`);
    }
    covered = end;
  }
  if (covered !== dataSize) fail(source, `${dataSize - covered} bytes at its end belong to no tensor`);
}

function checkMetadata(source: ByteSource, metadata: unknown): Record<string, string> {
  if (!isRecord(metadata) || !Object.values(metadata).every((value) => typeof value === 'string')) {
    fail(source, `its ${METADATA_KEY} does not map strings to strings`);
  }
  return metadata as Record<string, string>;
}

/**
 * Opens a safetensors file: the header is read and wholly checked, tensors are read when asked for. Names are as
 * {@link publishedName} gives them: published checkpoints are passed on in this format as well.
 * @throws UserError saying what is wrong with the file
 */
export async function openSafetensors(source: ByteSource): Promise<TensorFile> {
  const { header, metadata, dataStart } = await readHeader(source);
  const dataSize = source.size - dataStart;
  const { [METADATA_KEY]: _, ...entries } = header;
  const placed = Object.entries(entries).map(([name, entry]) => place(source, name, entry, dataSize));
  placed.sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkCoverage(source, placed, dataSize);
  const checksums = checksumsIn(
    metadata,
    placed.map(({ name }) => name),
  );
  if (typeof checksums === 'string') fail(source, checksums);
  const tensors = new Map<string, StoredTensor>();
  for (const { name: key, dtype, shape, begin, end } of placed) {
    const name = publishedName(key, tensors, source.name);
    const stored = (into?: Uint8Array) => readPieces(source, dataStart + begin, end - begin, into);
    const crc = checksums?.get(key);
    const wrong = (fault: string) => fail(source, `tensor ${quoted(key)} ${fault}`);
    const pieces =
      crc === undefined ? stored : (into?: Uint8Array) => checkedPieces(stored(into), crc, wrong);
    tensors.set(name, { dtype, shape, pieces });
  }
  return tensorFile(source, { format: 'safetensors', tensors, metadata });
}

/** The header of a file with `tensors`, and the order in which their data follow it. */
function layOut<T extends TensorInfo>(
  tensors: ReadonlyMap<string, T>,
  metadata: Record<string, string> | undefined,
): { head: Uint8Array; order: [string, T][] } {
  const header = new Map<string, unknown>(metadata ? [[METADATA_KEY, metadata]] : []);
  const order = [...tensors].sort(
    ([a, { dtype: dtypeA }], [b, { dtype: dtypeB }]) =>
      dtypeBytes(dtypeB) - dtypeBytes(dtypeA) || (a < b ? -1 : 1),
  );
  let end = 0;
  for (const [name, { dtype, shape }] of order) {
    if (name === METADATA_KEY) {
      throw new UserError(
        `safetensors: a tensor cannot be named ${METADATA_KEY}: the format reserves it. Choose another name.`,
      );
    }
    const begin = end;
    end += elementCount(shape) * dtypeBytes(dtype);
    header.set(name, { dtype, shape, data_offsets: [begin, end] });
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const length = Math.ceil(json.length / 8) * 8;
  const head = new Uint8Array(8 + length).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(length), true);
  head.set(json, 8);
  sealHeader(head.subarray(8));
  return { head, order };
}

/** A tensor to be written: row-major elements in the little-endian layout of `dtype`. */
export interface TensorToWrite extends TensorInfo {
  readonly data: ArrayBufferView;
}

/**
 * The bytes of a safetensors file, as chunks to be written one after the other; the tensors' chunks are views
 * of their data, not copies. The header is padded and wider types come first, so that every tensor is
 * aligned.
 * @throws UserError if a tensor's data do not fit its shape and type, or its name is reserved
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, TensorToWrite>,
  metadata?: Record<string, string>,
): Uint8Array[] {
  const { head, order } = layOut(tensors, metadata);
  const chunks = order.map(([name, { dtype, shape, data }]) => {
    const needed = elementCount(shape) * dtypeBytes(dtype);
    if (needed !== data.byteLength) {
      throw new UserError(
        `safetensors: tensor ${quoted(name)} of shape [${shape}] and type ${dtype} needs ${needed} bytes, got ${data.byteLength}.`,
      );
    }
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  });
  return [head, ...chunks];
}

/**
 * As {@link encodeSafetensors}, for tensors that come in pieces and are never held whole.
 * @throws UserError if a tensor's name is reserved
 */
export async function* streamSafetensors(
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata?: Record<string, string>,
): AsyncGenerator<Uint8Array> {
  const { head, order } = layOut(tensors, metadata);
  yield head;
  for (const [, { pieces }] of order) yield* pieces();
}
