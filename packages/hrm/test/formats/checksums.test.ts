import { expect, it } from 'vitest';
import { checksumsOf, withChecksums } from '../../src/formats/checksums.ts';
import { crc32 } from '../../src/formats/crc32.ts';
import { bytesSource } from '../../src/formats/files/byte-source.ts';
import { encodeSafetensors, openSafetensors } from '../../src/formats/safetensors.ts';

const data = Float32Array.from({ length: 40 }, (_, i) => Math.sin(i));
const tensors = new Map([
  ['a', { dtype: 'F32' as const, shape: [4, 10], data }],
  ['b', { dtype: 'I32' as const, shape: [3], data: Int32Array.of(1, 2, 3) }],
  ['empty', { dtype: 'F32' as const, shape: [0], data: new Float32Array(0) }],
]);

/** A file with checksums, and metadata that are more than ASCII. */
function whole(): Uint8Array<ArrayBuffer> {
  const crcs = new Map(
    [...tensors].map(([name, { data }]) => [
      name,
      crc32(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
    ]),
  );
  return new Uint8Array(
    Buffer.concat(encodeSafetensors(tensors, withChecksums({ format: 'x', note: 'ü–✓' }, crcs))),
  );
}

async function readAll(bytes: Uint8Array): Promise<void> {
  const file = await openSafetensors(bytesSource(bytes, 'file'));
  for (const name of file.names) await file.read(name);
}

it('a file that is whole is read', async () => {
  await readAll(whole());
});

it('every flipped bit is found, wherever it is', async () => {
  const bytes = whole();
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    bytes[bit >> 3] ^= 1 << (bit & 7);
    await expect(readAll(bytes), `bit ${bit}`).rejects.toThrow(/^file: damaged safetensors file: /);
    bytes[bit >> 3] ^= 1 << (bit & 7);
  }
});

it('bytes that became zeros are found, and bytes that are missing', async () => {
  const bytes = whole();
  for (let start = 0; start < bytes.length; start += 16) {
    const zeroed = bytes.slice();
    zeroed.fill(0, start, start + 16);
    // What held nothing but zeros is as it was.
    if (Buffer.compare(zeroed, bytes) !== 0)
      await expect(readAll(zeroed), `from ${start}`).rejects.toThrow(/damaged/);
    await expect(readAll(bytes.slice(0, start))).rejects.toThrow(/damaged/);
  }
});

it('a tensor without a checksum among others that have one is no file of ours', async () => {
  const some = withChecksums({}, new Map([['a', 1]]));
  const bytes = Buffer.concat(encodeSafetensors(tensors, some));
  await expect(readAll(bytes)).rejects.toThrow(/not one checksum for each of its tensors/);
});

it('sums of pieces are those of the whole', async () => {
  const bytes = new Uint8Array(data.buffer);
  const pieces = async function* () {
    yield bytes.subarray(0, 7);
    yield bytes.subarray(7);
  };
  expect(await checksumsOf(new Map([['a', { pieces }]]))).toEqual(new Map([['a', crc32(bytes)]]));
});
