/** Named tensors in a file, whatever its format; data are read when asked for. */

import { UserError } from '@hrm-webgpu/core';
import { closest } from './closest.ts';
import { type DType, dtypeBytes, type TensorData, toF32, typedView } from './dtype.ts';
import { type ByteSource, PIECE_BYTES } from './files/byte-source.ts';
import { quoted } from './quote.ts';

/** What is known of a tensor without reading it. */
export interface TensorInfo {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** The value of a dict that a file's tensors are, where it holds other things too. */
export interface FilePart {
  /** Its key. */
  readonly taken: string;
  /** The other keys. */
  readonly others: readonly string[];
}

/** An open file of named tensors. */
export interface TensorFile {
  readonly name: string;
  readonly format: 'PyTorch' | 'safetensors';
  /** In the order of the file. */
  readonly names: readonly string[];
  /** Free text that the file carries beside its tensors. */
  readonly metadata: Readonly<Record<string, string>>;
  /** What was taken of the file; undefined where that is all of it. */
  readonly part?: FilePart;
  /** @throws UserError if there is no such tensor */
  info(name: string): TensorInfo;
  /**
   * The elements in their own type, in fresh memory.
   * @throws UserError if there is no such tensor, or it cannot be read
   */
  read(name: string): Promise<TensorData>;
  /** As {@link TensorFile.read}, converted by `toF32`. */
  readF32(name: string): Promise<Float32Array>;
  /**
   * The elements in their own type, in pieces of at most `PIECE_BYTES`, each in fresh memory: large tensors need
   * never be held whole.
   * @throws UserError as {@link TensorFile.read}
   */
  pieces(name: string): AsyncIterable<TensorData>;
  /** As {@link TensorFile.pieces}, converted by `toF32`; each good until the next is asked for. */
  piecesF32(name: string): AsyncIterable<Float32Array>;
  close(): Promise<void>;
}

/** A tensor as a format's reader describes it. */
export interface StoredTensor extends TensorInfo {
  /** The elements, row-major and little-endian, in pieces of whole elements, which may share the memory `into`. */
  pieces(into?: Uint8Array): AsyncIterable<Uint8Array>;
}

/** Elements in a tensor of `shape`; beyond 2^53 inexact, and so unequal to any real count. */
export function elementCount(shape: readonly number[]): number {
  return shape.includes(0) ? 0 : shape.reduce((product, extent) => product * extent, 1);
}

/** What a format's reader found in a file. */
export interface FoundTensors {
  readonly format: TensorFile['format'];
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  readonly metadata?: Record<string, string>;
  readonly part?: FilePart;
}

/** Makes a {@link TensorFile} of what a format's reader found in `source`. */
export function tensorFile(source: ByteSource, found: FoundTensors): TensorFile {
  const { format, tensors, metadata = {}, part } = found;
  const find = (name: string): StoredTensor => {
    const tensor = tensors.get(name);
    if (tensor) return tensor;
    const hint = tensors.size
      ? `The closest names are ${closest(name, tensors.keys()).map(quoted).join(', ')}.`
      : 'The file holds no tensors.';
    throw new UserError(`${source.name}: there is no tensor ${quoted(name)}. ${hint}`);
  };
  /** Says in words what the machine has no memory for. */
  const explain = (name: string, cause: unknown): unknown => {
    if (!(cause instanceof RangeError)) return cause;
    const { dtype, shape } = find(name);
    const bytes = elementCount(shape) * dtypeBytes(dtype);
    return new UserError(`${source.name}: not enough memory to read ${quoted(name)} (${bytes} bytes).`, {
      cause,
    });
  };
  const collect = async <A extends Uint8Array | Float32Array>(
    name: string,
    make: () => A,
    parts: AsyncIterable<A>,
  ): Promise<A> => {
    try {
      const whole = make();
      let at = 0;
      for await (const part of parts) {
        whole.set(part, at);
        at += part.length;
      }
      return whole;
    } catch (cause) {
      throw explain(name, cause);
    }
  };
  async function* pieces(name: string, into?: Uint8Array): AsyncGenerator<TensorData> {
    const { dtype, pieces } = find(name);
    try {
      for await (const bytes of pieces(into)) yield typedView(dtype, bytes);
    } catch (cause) {
      throw explain(name, cause);
    }
  }
  // One piece's memory serves all tensors: fresh ones would pile up until they are collected.
  let spare: Uint8Array | undefined;
  async function* piecesF32(name: string): AsyncGenerator<Float32Array> {
    const { dtype } = find(name);
    const memory = spare ?? new Uint8Array(PIECE_BYTES);
    spare = undefined;
    try {
      for await (const piece of pieces(name, memory)) yield toF32(dtype, piece);
    } finally {
      spare = memory;
    }
  }
  return {
    name: source.name,
    format,
    names: [...tensors.keys()],
    metadata,
    part,
    info: (name) => {
      const { dtype, shape } = find(name);
      return { dtype, shape };
    },
    async read(name) {
      const { dtype, shape, pieces } = find(name);
      const size = elementCount(shape) * dtypeBytes(dtype);
      return typedView(dtype, await collect(name, () => new Uint8Array(size), pieces()));
    },
    async readF32(name) {
      const count = elementCount(find(name).shape);
      return collect(name, () => new Float32Array(count), piecesF32(name));
    },
    pieces: (name) => pieces(name),
    piecesF32,
    close: () => source.close(),
  };
}
