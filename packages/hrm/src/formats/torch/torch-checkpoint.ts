/**
 * Published checkpoints: what `torch.save(state_dict)` writes, by itself or as a value of a dict. A ZIP archive of stored entries with a pickle,
 * `<root>/data.pkl`, that describes the tensors, and their storages, `<root>/data/<key>`.
 */

import { UserError } from '@hrm-webgpu/core';
import { dtypeBytes } from '../dtype.ts';
import { type ByteSource, PIECE_BYTES, readPieces } from '../files/byte-source.ts';
import { publishedName } from '../published-name.ts';
import { quoted } from '../quote.ts';
import { elementCount, type StoredTensor, type TensorFile, tensorFile } from '../tensor-file.ts';
import { MAX_PICKLE_BYTES, readPickle } from './pickle.ts';
import { PickleDict, TensorRef } from './pickle-values.ts';
import { readZipEntries, type ZipEntry } from './zip.ts';

function fail(source: ByteSource, found: string): never {
  throw new UserError(`${source.name}: ${found}. Expected a checkpoint written by torch.save(state_dict).`);
}

/** The archive's one folder, known by its `data.pkl`. */
function findRoot(source: ByteSource, entries: ReadonlyMap<string, ZipEntry>): string {
  const roots = [...entries.keys()].filter((name) => /^[^/]*\/data\.pkl$/.test(name));
  if (roots.length !== 1)
    fail(source, `a ZIP archive with ${roots.length || 'no'} entries <folder>/data.pkl`);
  return roots[0].slice(0, -'/data.pkl'.length);
}

async function checkByteOrder(source: ByteSource, entry: ZipEntry | undefined): Promise<void> {
  if (!entry) return;
  const text = new TextDecoder().decode(await source.read(entry.offset, Math.min(entry.size, 16)));
  if (text.trim() !== 'little') fail(source, `its numbers have byte order ${quoted(text)}, not "little"`);
}

/** Where training scripts keep weights among other things. What was averaged comes first: it is what they evaluate. */
const WRAPPERS = ['ema', 'model', 'state_dict', 'model_state_dict'];

/** The key of `root` that holds a state dict; undefined where it is one itself, or there is none. */
function wrapperOf({ entries }: PickleDict): string | undefined {
  return WRAPPERS.find((key) => {
    const inner = entries.get(key);
    if (!(inner instanceof PickleDict) || inner.entries.size === 0) return false;
    return [...inner.entries.values()].every((value) => value instanceof TensorRef);
  });
}

/** The tensors of the pickle by key, and where they were among other things. */
async function readStateDict(source: ByteSource, entry: ZipEntry) {
  if (entry.size > MAX_PICKLE_BYTES)
    fail(source, `its data.pkl has ${entry.size} bytes, more than any checkpoint's`);
  const root = readPickle(await source.read(entry.offset, entry.size), `${source.name} (data.pkl)`);
  if (!(root instanceof PickleDict)) fail(source, 'it holds something else than a state dict');
  const taken = wrapperOf(root);
  const stateDict = taken ? (root.entries.get(taken) as PickleDict) : root;
  const tensors = [...stateDict.entries].map(([key, value]): [string, TensorRef] => {
    if (typeof key === 'string' && value instanceof TensorRef) return [key, value];
    return fail(source, `its value ${quoted(String(key))} is not a tensor`);
  });
  const others = [...root.entries.keys()].map(String).filter((key) => key !== taken);
  return { tensors, part: taken ? { taken, others } : undefined };
}

function isContiguous({ shape, stride }: TensorRef): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && stride[axis] !== expected) return false;
    expected *= shape[axis];
  }
  return true;
}

/** Elements from the tensor's first to its last, both included; 0 if it has none. */
function extent({ shape, stride }: TensorRef): number {
  if (shape.includes(0)) return 0;
  return shape.reduce((last, size, axis) => last + (size - 1) * stride[axis], 1);
}

/** Refuses tensors that reach outside their storage and storages that are not as large as they say. */
function checkBounds(source: ByteSource, key: string, tensor: TensorRef, entry: ZipEntry): void {
  const { storage, offset, shape } = tensor;
  const label = `tensor ${quoted(key)} of shape [${shape}]`;
  const bytes = storage.numel * dtypeBytes(storage.dtype);
  if (entry.size !== bytes) {
    fail(
      source,
      `the storage of ${label} should have ${bytes} bytes (${storage.numel} × ${storage.dtype}), but has ${entry.size}`,
    );
  }
  if (offset + extent(tensor) > storage.numel) {
    fail(source, `${label} at offset ${offset} reaches beyond its storage of ${storage.numel} elements`);
  }
  // Otherwise a broadcast (stride 0) could name any amount of memory in a few bytes.
  if (elementCount(shape) > storage.numel) {
    fail(source, `${label} has more elements than its storage (${storage.numel}): save a contiguous copy`);
  }
}

/**
 * Copies strided elements of `from` (an array over the tensor's extent) to `to`, row-major, beginning with the
 * `first`-th.
 */
function gather<A extends { [index: number]: unknown; length: number }>(
  from: A,
  to: A,
  { shape, stride }: TensorRef,
  first: number,
): void {
  const index = new Array<number>(shape.length).fill(0);
  let position = 0;
  let rest = first;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index[axis] = rest % shape[axis];
    rest = Math.floor(rest / shape[axis]);
    position += index[axis] * stride[axis];
  }
  for (let i = 0; i < to.length; i++) {
    to[i] = from[position];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      position += stride[axis];
      if (++index[axis] < shape[axis]) break;
      position -= stride[axis] * shape[axis];
      index[axis] = 0;
    }
  }
}

const WORDS = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: BigUint64Array } as const;

/** The elements of a strided view, which have to be held all at once: they may come from anywhere in the storage. */
async function* gatheredPieces(
  source: ByteSource,
  tensor: TensorRef,
  entry: ZipEntry,
): AsyncGenerator<Uint8Array> {
  const width = dtypeBytes(tensor.storage.dtype);
  const bytes = await source.read(entry.offset + tensor.offset * width, extent(tensor) * width);
  const Words = WORDS[width as keyof typeof WORDS];
  const from = new Words(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length / width);
  const count = elementCount(tensor.shape);
  for (let first = 0; first < count; first += PIECE_BYTES / width) {
    const to = new Words(Math.min(PIECE_BYTES / width, count - first));
    gather(from, to, tensor, first);
    yield new Uint8Array(to.buffer);
  }
}

function piecesOf(
  source: ByteSource,
  tensor: TensorRef,
  entry: ZipEntry,
  into: Uint8Array | undefined,
): AsyncIterable<Uint8Array> {
  if (!isContiguous(tensor)) return gatheredPieces(source, tensor, entry);
  const width = dtypeBytes(tensor.storage.dtype);
  return readPieces(source, entry.offset + tensor.offset * width, extent(tensor) * width, into);
}

/**
 * Opens a checkpoint written by `torch.save`: its directory and pickle are read and wholly checked, tensors
 * are read when asked for. Names are as {@link publishedName} gives them. Of a dict with other things in it the
 * weights are taken, see {@link TensorFile.part}.
 * @throws UserError saying what is wrong with the file
 */
export async function openTorchCheckpoint(source: ByteSource): Promise<TensorFile> {
  const entries = await readZipEntries(source);
  const root = findRoot(source, entries);
  await checkByteOrder(source, entries.get(`${root}/byteorder`));
  const tensors = new Map<string, StoredTensor>();
  const stateDict = await readStateDict(source, entries.get(`${root}/data.pkl`) as ZipEntry);
  for (const [key, tensor] of stateDict.tensors) {
    const storageName = `${root}/data/${tensor.storage.key}`;
    const entry =
      entries.get(storageName) ??
      fail(source, `entry ${quoted(storageName)} of tensor ${quoted(key)} is missing`);
    checkBounds(source, key, tensor, entry);
    const name = publishedName(key, tensors, source.name);
    const { shape, storage } = tensor;
    tensors.set(name, {
      dtype: storage.dtype,
      shape,
      pieces: (into) => piecesOf(source, tensor, entry, into),
    });
  }
  return tensorFile(source, { format: 'PyTorch', tensors, part: stateDict.part });
}
