/** Tensors of several pieces, from either format. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { bytesSource, PIECE_BYTES } from '../../src/formats/files/byte-source.ts';
import { fileSource } from '../../src/formats/files/file-source.node.ts';
import { encodeSafetensors, openSafetensors, streamSafetensors } from '../../src/formats/safetensors.ts';
import type { StoredTensor, TensorFile } from '../../src/formats/tensor-file.ts';
import { openTorchCheckpoint } from '../../src/formats/torch/torch-checkpoint.ts';
import { writeZip } from '../../src/formats/torch/zip-write.ts';
import { gather, pickle } from './build.ts';

/** 2.5 pieces of f32. */
const [ROWS, COLUMNS] = [5, PIECE_BYTES / 8];
const values = Float32Array.from({ length: ROWS * COLUMNS }, (_, i) => i);
const bytes = new Uint8Array(values.buffer);

async function lengths(file: TensorFile, name: string): Promise<{ sizes: number[]; whole: Float32Array }> {
  const sizes: number[] = [];
  const parts: Uint8Array[] = [];
  for await (const piece of file.piecesF32(name)) {
    sizes.push(piece.byteLength);
    parts.push(new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength));
  }
  return { sizes, whole: new Float32Array((await gather(parts)).buffer) };
}

const THREE = [PIECE_BYTES, PIECE_BYTES, PIECE_BYTES / 2];

it('gives a safetensors tensor in pieces that make the whole', async () => {
  async function* pieces() {
    yield bytes;
  }
  const tensors = new Map<string, StoredTensor>([['w', { dtype: 'F32', shape: [ROWS, COLUMNS], pieces }]]);
  const file = await openSafetensors(
    bytesSource(await gather(streamSafetensors(tensors, { a: 'b' })), 'file'),
  );
  expect(file.metadata).toEqual({ a: 'b' });
  const { sizes, whole } = await lengths(file, 'w');
  expect(sizes).toEqual(THREE);
  expect(Buffer.compare(Buffer.from(whole.buffer), bytes)).toBe(0);
  expect(Buffer.compare(Buffer.from((await file.readF32('w')).buffer), bytes)).toBe(0);
});

it('gives a transposed PyTorch tensor in pieces that make the whole', async () => {
  const storage = pickle.storage('FloatStorage', '0', values.length);
  const state = { w: pickle.tensor(storage, 0, [COLUMNS, ROWS], [1, COLUMNS]) };
  const entry = (name: string, data: Uint8Array) => ({ name, size: data.length, pieces: () => [data] });
  const archive = await gather(
    writeZip([entry('a/data.pkl', pickle.file(pickle.dict(state))), entry('a/data/0', bytes)]),
  );
  const { sizes, whole } = await lengths(await openTorchCheckpoint(bytesSource(archive, 'file')), 'w');
  expect(sizes).toEqual(THREE);
  const wrong = whole.findIndex((value, i) => value !== (i % ROWS) * COLUMNS + Math.floor(i / ROWS));
  expect(wrong).toBe(-1);
});

it('reads pieces of a file into one memory, and tensors that are read side by side into their own', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pieces-'));
  try {
    const path = join(folder, 'file.safetensors');
    const shape = [values.length];
    const negative = values.map((value) => -value);
    const tensors = {
      a: { dtype: 'F32', shape, data: values },
      b: { dtype: 'F32', shape, data: negative },
    } as const;
    writeFileSync(path, await gather(encodeSafetensors(new Map(Object.entries(tensors)))));
    const file = await openSafetensors(await fileSource(path));
    const memories = new Set<ArrayBufferLike>();
    const second = file.piecesF32('b')[Symbol.asyncIterator]();
    let at = 0;
    for await (const a of file.piecesF32('a')) {
      const { value: b } = (await second.next()) as { value: Float32Array };
      const read = new Uint8Array(a.buffer, a.byteOffset, a.byteLength);
      expect(Buffer.compare(read, bytes.subarray(4 * at, 4 * (at + a.length)))).toBe(0);
      expect([a[0], a.at(-1), b[0], b.at(-1)]).toEqual([
        values[at],
        values[at + a.length - 1],
        negative[at],
        negative[at + b.length - 1],
      ]);
      memories.add(a.buffer).add(b.buffer);
      at += a.length;
    }
    expect(at).toBe(values.length);
    expect(memories.size).toBe(2);
    await file.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
