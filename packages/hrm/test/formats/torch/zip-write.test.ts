import { describe, expect, it } from 'vitest';
import { crc32 } from '../../../src/formats/crc32.ts';
import { bytesSource } from '../../../src/formats/files/byte-source.ts';
import { readZipEntries } from '../../../src/formats/torch/zip.ts';
import { type EntryToWrite, writeZip } from '../../../src/formats/torch/zip-write.ts';
import { gather } from '../build.ts';

const text = (value: string) => new TextEncoder().encode(value);
const entry = (name: string, ...pieces: Uint8Array[]): EntryToWrite => ({
  name,
  size: pieces.reduce((sum, piece) => sum + piece.length, 0),
  pieces: () => pieces,
});

describe('crc32', () => {
  it('gives the check value of the polynomial', () => {
    expect(crc32(text('123456789'))).toBe(0xcbf43926);
    expect(crc32(new Uint8Array())).toBe(0);
  });

  it('goes on from any split', () => {
    const bytes = Uint8Array.from({ length: 37 }, (_, i) => 91 * i);
    for (let split = 0; split <= bytes.length; split++) {
      expect(crc32(bytes.subarray(split), crc32(bytes.subarray(0, split)))).toBe(crc32(bytes));
    }
  });
});

describe('writeZip', () => {
  it('writes what readZipEntries reads, data at multiples of 64 bytes', async () => {
    const contents = { 'a/data.pkl': 'x'.repeat(77), 'a/data/0': '', 'a/ü': 'zwei', 'a/version': '3\n' };
    const entries = Object.entries(contents).map(([name, value]) => entry(name, text(value)));
    const bytes = await gather(writeZip(entries));
    const read = await readZipEntries(bytesSource(bytes, 'written'));
    expect([...read.keys()]).toEqual(Object.keys(contents));
    for (const [name, { offset, size }] of read) {
      expect(offset % 64).toBe(0);
      expect(new TextDecoder().decode(bytes.subarray(offset, offset + size))).toBe(
        contents[name as keyof typeof contents],
      );
    }
  });

  it('puts the checksum of all pieces behind the data and in the directory', async () => {
    const pieces = [text('first, '), text('second')];
    const bytes = await gather(writeZip([entry('n', ...pieces)]));
    const view = new DataView(bytes.buffer);
    const expected = crc32(text('first, second'));
    const { offset, size } = (await readZipEntries(bytesSource(bytes, 'written'))).get('n') as never;
    expect([0, 4, 8, 12].map((at) => view.getUint32(offset + size + at, true))).toEqual([
      ...[0x08074b50, expected, 13, 13],
    ]);
    expect(view.getUint32(offset + size + 16 + 16, true)).toBe(expected);
  });

  it('refuses an entry that is not as long as it says', async () => {
    const short = { ...entry('n', text('abc')), size: 4 };
    await expect(gather(writeZip([short]))).rejects.toThrow('entry n has 3 bytes, expected 4');
  });
});
