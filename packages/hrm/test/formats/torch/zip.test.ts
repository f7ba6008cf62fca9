import { describe, expect, it } from 'vitest';
import { type ByteSource, bytesSource } from '../../../src/formats/files/byte-source.ts';
import { readZipEntries } from '../../../src/formats/torch/zip.ts';
import { buildFarZip, buildZip, type EntryToBuild, type ZipOptions } from '../build.ts';
import { fixtureBytes, userError } from '../fixtures.ts';

const read = (bytes: Uint8Array) => readZipEntries(bytesSource(bytes, 'archive'));
const a: EntryToBuild = { name: 'r/a', data: Uint8Array.of(1, 2, 3) };
const b: EntryToBuild = { name: 'r/b', data: Uint8Array.of(4, 5) };

describe('readZipEntries', () => {
  it.each<[string, ZipOptions]>([
    ['plain', {}],
    ['zip64', { zip64: true }],
    ['with a comment', { comment: 'PK\x05\x06 not the end' }],
  ])('reads an archive: %s', async (_, options) => {
    const bytes = buildZip([a, b, { name: 'r/', data: new Uint8Array(0) }], options);
    const entries = await read(bytes);
    expect([...entries.keys()]).toEqual(['r/a', 'r/b', 'r/']);
    for (const { name, data } of [a, b]) {
      const { offset, size } = entries.get(name) ?? expect.unreachable();
      expect([...bytes.subarray(offset, offset + size)]).toEqual([...data]);
    }
  });

  it('reads an archive without entries', async () => {
    expect((await read(buildZip([]))).size).toBe(0);
  });

  it('reads a published checkpoint: zip64 records, padded local headers, sizes behind the data', async () => {
    const entries = await read(fixtureBytes('tiny-rope/checkpoint'));
    expect(entries.size).toBe(17);
    expect(entries.get('checkpoint/data/13')?.size).toBe(65536);
    for (const [name, { offset }] of entries) {
      if (name.includes('/data/')) expect(offset % 64).toBe(0);
    }
  });

  it('reads an entry beyond 4 GiB', async () => {
    const headerOffset = 5 * 2 ** 30;
    const dataSize = 4.5 * 2 ** 30;
    const { header, tail, base } = buildFarZip(
      { name: 'r/far', data: new Uint8Array(0) },
      headerOffset,
      dataSize,
    );
    const parts = [
      { at: headerOffset, bytes: header },
      { at: base, bytes: tail },
    ];
    const source: ByteSource = {
      name: 'far',
      size: base + tail.length,
      read: async (offset, length) => {
        const result = new Uint8Array(length);
        for (const { at, bytes } of parts) {
          const from = Math.max(at, offset);
          const piece = bytes.subarray(from - at, Math.max(from, offset + length) - at);
          if (from < offset + length) result.set(piece, from - offset);
        }
        return result;
      },
      close: async () => {},
    };
    const entries = await readZipEntries(source);
    expect(entries.get('r/far')).toEqual({ offset: headerOffset + header.length, size: dataSize });
  });

  it.each<[string, EntryToBuild[], ZipOptions, RegExp]>([
    ['a compressed entry', [{ ...a, method: 8 }], {}, /"r\/a" is compressed \(method 8\).*zip -0/],
    ['an encrypted entry', [{ ...a, flags: 1 }], {}, /"r\/a" is encrypted/],
    ['a name twice', [a, { ...b, name: 'r/a' }], {}, /two entries named "r\/a"/],
    ['another name in the local header', [{ ...a, localName: 'r/x' }], {}, /not that of entry "r\/a"/],
    ['a longer name in the local header', [{ ...a, localName: 'r/abc' }], {}, /not that of entry "r\/a"/],
    ['a header offset that points elsewhere', [a, { ...b, headerOffset: 5 }], {}, /overlaps|not that of/],
    ['a header offset beyond the file', [{ ...a, headerOffset: 1e9 }], {}, /should be at byte 1000000000/],
    ['a header offset of 2^60', [{ ...a, headerOffset: 2 ** 60 }], { zip64: true }, /should be at byte/],
    ['a size that reaches into the directory', [{ ...a, size: 4 }], {}, /"r\/a" should be 4 bytes/],
    ['a size that reaches into the next entry', [{ ...a, size: 9 }, b], {}, /"r\/b" overlaps/],
    ['a size of 2^60', [{ ...a, size: 2 ** 60 }], { zip64: true }, /"r\/a" should be/],
    ['a size without its zip64 field', [{ ...a, size: 0xffffffff }], {}, /lacks its zip64 sizes/],
    ['two sizes', [{ ...a, packedSize: 2 }], {}, /its two sizes differ \(2, 3\)/],
    [
      'one entry that is there twice',
      [a, { ...a, name: 'r/z', headerOffset: 0 }],
      {},
      /overlaps|not that of/,
    ],
    ['a count that is too large', [a], { count: 2 }, /cannot hold 2 entries/],
    ['a count that is too small', [a, b], { count: 1 }, /more than the 1 entries/],
    ['a count of 2^53', [a], { count: 2 ** 53, zip64: true }, /cannot hold/],
    ['a directory beyond the file', [a], { directoryOffset: 1e6 }, /directory should be/],
    ['a directory that is too long', [a], { directorySize: 1e6 }, /directory should be/],
    ['a directory of 2^60 bytes', [a], { directorySize: 2 ** 60, zip64: true }, /directory should be/],
    ['a directory in the wrong place', [a], { directoryOffset: 1 }, /no entry at byte 0/],
    ['a directory cut short', [a, b], { directorySize: 95 }, /directory/],
  ])('refuses %s', async (_, entries, options, message) => {
    const error = await userError(() => read(buildZip(entries, options)));
    expect(error.message).toMatch(message);
    expect(error.message).toContain('archive');
  });

  it('refuses an archive without its end, or with a foreign one', async () => {
    expect((await userError(() => read(new Uint8Array(0)))).message).toMatch(/no end record/);
    const bytes = buildZip([a, b]);
    expect((await userError(() => read(bytes.subarray(0, -1)))).message).toMatch(/its end is missing/);
    const zip64 = buildZip([a, b], { zip64: true });
    const end = zip64.length - 22;
    const noLocator = new Uint8Array([...zip64.subarray(0, end - 20), ...zip64.subarray(end)]);
    expect((await userError(() => read(noLocator))).message).toMatch(/zip64 end record.*is missing/);
    const disagreeing = zip64.slice();
    disagreeing.set([1, 0, 1, 0], end + 8);
    expect((await userError(() => read(disagreeing))).message).toMatch(/disagree on the number of entries/);
    const noRecord = zip64.slice();
    noRecord[end - 20 - 56] = 0;
    expect((await userError(() => read(noRecord))).message).toMatch(/no zip64 end record at byte/);
    const far = zip64.slice();
    far[end - 20 + 8 + 6] = 1;
    expect((await userError(() => read(far))).message).toMatch(/zip64 end record should be at byte/);
  });

  it('refuses a name that is not UTF-8', async () => {
    const bytes = buildZip([a]);
    const at = bytes.lastIndexOf('r'.charCodeAt(0));
    bytes[at] = 0xff;
    expect((await userError(() => read(bytes))).message).toMatch(/not UTF-8/);
  });
});
