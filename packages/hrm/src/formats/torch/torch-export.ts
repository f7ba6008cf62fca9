/**
 * Checkpoints as `torch.save(state_dict)` writes them, for `torch.load(weights_only=True)`: the inverse of
 * `torch-checkpoint.ts`. Every tensor has a storage of its own.
 */

import { UserError } from '@hrm-webgpu/core';
import { type DType, dtypeBytes } from '../dtype.ts';
import { quoted } from '../quote.ts';
import { elementCount, type StoredTensor } from '../tensor-file.ts';
import { ORDERED_DICT, REBUILD_TENSOR, STORAGE_DTYPES } from './pickle-values.ts';
import { writeZip } from './zip-write.ts';

/** In front of every name in the published files: torch.compile, loss head and ACT wrapper. */
export const PUBLISHED_PREFIX = '_orig_mod.model.inner.';

/** The folder in the archive, as current versions of PyTorch name it. */
const ROOT = 'archive';

const STORAGES = new Map([...STORAGE_DTYPES].map(([storage, dtype]) => [dtype, storage]));

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Pieces of a pickle of protocol 2; opcodes as in `pickle.ts`. */
const op = {
  start: [0x80, 2],
  mark: [0x28],
  setItems: [0x75],
  persistentId: [0x51],
  reduce: [0x52],
  emptyTuple: [0x29],
  false: [0x89],
  stop: [0x2e],
  text(value: string): number[] {
    const bytes = encode(value);
    return [0x58, ...littleEndian(bytes.length, 4), ...bytes];
  },
  int(value: number): number[] {
    return value < 2 ** 31 ? [0x4a, ...littleEndian(value, 4)] : [0x8a, 8, ...littleEndian(value, 8)];
  },
  global(name: string): number[] {
    const dot = name.lastIndexOf('.');
    return [0x63, ...encode(`${name.slice(0, dot)}\n${name.slice(dot + 1)}\n`)];
  },
  tuple: (...items: readonly (readonly number[])[]): number[] => [0x28, ...items.flat(), 0x74],
  orderedDict: (): number[] => [...op.global(ORDERED_DICT), ...op.emptyTuple, ...op.reduce],
};

function littleEndian(value: number, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, i) => Math.floor(value / 2 ** (8 * i)) % 256);
}

/** Strides, in elements, of a row-major array. */
function rowMajorStrides(shape: readonly number[]): number[] {
  return shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
}

function storageName(name: string, dtype: DType): string {
  const storage = STORAGES.get(dtype);
  if (storage) return storage;
  throw new UserError(
    `tensor ${quoted(name)} is of type ${dtype}, which PyTorch's checkpoints do not have. Export to safetensors.`,
  );
}

/** The pickle of the state dict. Tensor i has storage i. */
function stateDict(tensors: ReadonlyMap<string, StoredTensor>): Uint8Array {
  const items = [...tensors].map(([name, { dtype, shape }], i) => {
    const storage = op.tuple(
      op.text('storage'),
      op.global(storageName(name, dtype)),
      op.text(String(i)),
      op.text('cpu'),
      op.int(elementCount(shape)),
    );
    // (storage, offset, shape, strides, requires_grad, hooks)
    const tensor = op.tuple(
      [...storage, ...op.persistentId],
      op.int(0),
      op.tuple(...shape.map(op.int)),
      op.tuple(...rowMajorStrides(shape).map(op.int)),
      op.false,
      op.orderedDict(),
    );
    return [...op.text(PUBLISHED_PREFIX + name), ...op.global(REBUILD_TENSOR), ...tensor, ...op.reduce];
  });
  const body = [...op.orderedDict(), ...op.mark, ...items.flat(), ...op.setItems];
  return Uint8Array.from([...op.start, ...body, ...op.stop]);
}

/**
 * The bytes of a checkpoint with `tensors` under their published keys, as chunks to be written one after the other;
 * tensors pass through in the pieces that they come in.
 * @throws UserError for a type that PyTorch's checkpoints do not have
 */
export function encodeTorchCheckpoint(
  tensors: ReadonlyMap<string, StoredTensor>,
): AsyncGenerator<Uint8Array> {
  const small = (name: string, bytes: Uint8Array) => ({
    name: `${ROOT}/${name}`,
    size: bytes.length,
    pieces: () => [bytes],
  });
  return writeZip([
    small('data.pkl', stateDict(tensors)),
    small('byteorder', encode('little')),
    ...[...tensors.values()].map(({ dtype, shape, pieces }, i) => ({
      name: `${ROOT}/data/${i}`,
      size: elementCount(shape) * dtypeBytes(dtype),
      pieces,
    })),
    small('version', encode('3\n')),
  ]);
}
