/** Archives beyond 4 GiB. The checksum of so many bytes would take most of a minute, so it is left out here. */
import { expect, it, vi } from 'vitest';
import type { ByteSource } from '../../../src/formats/files/byte-source.ts';
import { readZipEntries } from '../../../src/formats/torch/zip.ts';
import { writeZip } from '../../../src/formats/torch/zip-write.ts';

vi.mock('../../../src/formats/torch/crc32.ts', () => ({ crc32: () => 0 }));

/** Memory that is never touched costs none. */
const GIGABYTE = new Uint8Array(2 ** 30);

/** What `chunks` make, in which the gigabytes stand for themselves. */
async function sparseSource(chunks: AsyncIterable<Uint8Array>): Promise<ByteSource> {
  const kept: { at: number; bytes: Uint8Array }[] = [];
  let size = 0;
  for await (const bytes of chunks) {
    if (bytes !== GIGABYTE) kept.push({ at: size, bytes: bytes.slice() });
    size += bytes.length;
  }
  const read = async (offset: number, length: number) => {
    const result = new Uint8Array(length);
    for (const { at, bytes } of kept) {
      const from = Math.max(at, offset);
      const to = Math.min(at + bytes.length, offset + length);
      if (from < to) result.set(bytes.subarray(from - at, to - at), from - offset);
    }
    return result;
  };
  return { name: 'large', size, read, close: async () => {} };
}

it('writes zip64 records where a size or an offset exceeds 32 bits', async () => {
  const large = { name: 'large', size: 4 * 2 ** 30, pieces: () => Array(4).fill(GIGABYTE) };
  const after = { name: 'after', size: 3, pieces: () => [Uint8Array.of(1, 2, 3)] };
  const source = await sparseSource(writeZip([after, large, { ...after, name: 'behind' }]));
  const entries = await readZipEntries(source);
  expect([...entries].map(([name, { size }]) => [name, size])).toEqual([
    ['after', 3],
    ['large', 2 ** 32],
    ['behind', 3],
  ]);
  const behind = entries.get('behind') as NonNullable<ReturnType<typeof entries.get>>;
  expect(behind.offset).toBeGreaterThan(2 ** 32);
  expect(await source.read(behind.offset, 3)).toEqual(Uint8Array.of(1, 2, 3));
});
