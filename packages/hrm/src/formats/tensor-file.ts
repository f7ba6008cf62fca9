/** Named tensors in a file, whatever its format; data are read when asked for. */

import { UserError } from '@hrm-webgpu/core';
import type { ByteSource } from './byte-source.ts';
import { quoted } from './quote.ts';

const ARRAYS = {
  F64: Float64Array,
  F32: Float32Array,
  F16: Uint16Array,
  BF16: Uint16Array,
  I64: BigInt64Array,
  I32: Int32Array,
  I16: Int16Array,
  I8: Int8Array,
  U32: Uint32Array,
  U8: Uint8Array,
  BOOL: Uint8Array,
};

/** Element types, by their safetensors names. */
export type DType = keyof typeof ARRAYS;

/** A tensor's elements, row-major. F16 and BF16 are raw bits in a Uint16Array, BOOL is bytes 0 and 1. */
export type TensorData = InstanceType<(typeof ARRAYS)[DType]>;

/** What is known of a tensor without reading it. */
export interface TensorInfo {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** An open file of named tensors. */
export interface TensorFile {
  readonly name: string;
  /** In the order of the file. */
  readonly names: readonly string[];
  /** Free text that the file carries beside its tensors. */
  readonly metadata: Readonly<Record<string, string>>;
  /** @throws UserError if there is no such tensor */
  info(name: string): TensorInfo;
  /**
   * The elements in their own type, in fresh memory.
   * @throws UserError if there is no such tensor, or it cannot be read
   */
  read(name: string): Promise<TensorData>;
  /**
   * As {@link TensorFile.read}, as f32: exact from F16, BF16 and BOOL, rounded to nearest from wider types.
   */
  readF32(name: string): Promise<Float32Array>;
  close(): Promise<void>;
}

/** A tensor as a format's reader describes it: `load` gives its elements row-major and little-endian. */
export interface StoredTensor extends TensorInfo {
  load(): Promise<Uint8Array>;
}

/** Whether `name` is a {@link DType}. */
export function isDType(name: unknown): name is DType {
  return typeof name === 'string' && Object.hasOwn(ARRAYS, name);
}

/** Bytes of one element. */
export function dtypeBytes(dtype: DType): number {
  return ARRAYS[dtype].BYTES_PER_ELEMENT;
}

/** Elements in a tensor of `shape`; beyond 2^53 inexact, and so unequal to any real count. */
export function elementCount(shape: readonly number[]): number {
  return shape.includes(0) ? 0 : shape.reduce((product, extent) => product * extent, 1);
}

/** The f32 values of bfloat16 `bits`: the upper halves of f32 numbers. */
export function bf16ToF32(bits: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(bits, (word) => word << 16).buffer);
}

/** The f32 values of IEEE 754 binary16 `bits`, subnormal numbers, infinities and NaN included. */
export function f16ToF32(bits: Uint16Array): Float32Array {
  return Float32Array.from(bits, (word) => {
    const sign = word & 0x8000 ? -1 : 1;
    const exponent = (word >> 10) & 31;
    const fraction = word & 0x3ff;
    if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    return exponent ? sign * (1024 + fraction) * 2 ** (exponent - 25) : sign * fraction * 2 ** -24;
  });
}

function typedView(dtype: DType, bytes: Uint8Array): TensorData {
  const Elements = ARRAYS[dtype];
  const width = Elements.BYTES_PER_ELEMENT;
  const aligned = bytes.byteOffset % width === 0 ? bytes : bytes.slice();
  return new Elements(aligned.buffer as ArrayBuffer, aligned.byteOffset, aligned.byteLength / width);
}

function toF32(dtype: DType, data: TensorData): Float32Array {
  if (data instanceof Float32Array) return data;
  if (dtype === 'BF16') return bf16ToF32(data as Uint16Array);
  if (dtype === 'F16') return f16ToF32(data as Uint16Array);
  if (data instanceof BigInt64Array) return Float32Array.from(data, Number);
  return Float32Array.from(data);
}

function trigrams(text: string): Set<string> {
  const padded = `  ${text.slice(0, 200)}  `;
  const found = new Set<string>();
  for (let i = 0; i + 3 <= padded.length; i++) found.add(padded.slice(i, i + 3));
  return found;
}

/** Up to three of `names` that look most like `wanted`, by shared runs of three characters. */
function closest(wanted: string, names: Iterable<string>): string[] {
  const target = trigrams(wanted);
  const scored = [...names].map((name) => {
    const own = trigrams(name);
    const shared = [...own].filter((gram) => target.has(gram)).length;
    return { name, score: shared / (own.size + target.size) };
  });
  scored.sort((a, b) => b.score - a.score);
  return scored.slice(0, 3).map(({ name }) => name);
}

/**
 * Makes a {@link TensorFile} of what a format's reader found in `source`. Assumes a little-endian machine, as
 * every machine with WebGPU is.
 */
export function tensorFile(
  source: ByteSource,
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: Record<string, string> = {},
): TensorFile {
  const find = (name: string): StoredTensor => {
    const tensor = tensors.get(name);
    if (tensor) return tensor;
    const hint = tensors.size
      ? `The closest names are ${closest(name, tensors.keys()).map(quoted).join(', ')}.`
      : 'The file holds no tensors.';
    throw new UserError(`${source.name}: there is no tensor ${quoted(name)}. ${hint}`);
  };
  const load = async <T>(name: string, convert: (dtype: DType, bytes: Uint8Array) => T): Promise<T> => {
    const tensor = find(name);
    try {
      return convert(tensor.dtype, await tensor.load());
    } catch (cause) {
      if (!(cause instanceof RangeError)) throw cause;
      const bytes = elementCount(tensor.shape) * dtypeBytes(tensor.dtype);
      throw new UserError(`${source.name}: not enough memory to read ${quoted(name)} (${bytes} bytes).`, {
        cause,
      });
    }
  };
  return {
    name: source.name,
    names: [...tensors.keys()],
    metadata,
    info: (name) => {
      const { dtype, shape } = find(name);
      return { dtype, shape };
    },
    read: (name) => load(name, typedView),
    readF32: (name) => load(name, (dtype, bytes) => toF32(dtype, typedView(dtype, bytes))),
    close: () => source.close(),
  };
}
