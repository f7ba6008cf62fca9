import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type ByteSource, blobSource, bytesSource } from '../../../src/formats/files/byte-source.ts';
import { fileError } from '../../../src/formats/files/file-error.node.ts';
import { fileSource } from '../../../src/formats/files/file-source.node.ts';
import { quoted } from '../../../src/formats/quote.ts';
import { userError } from '../fixtures.ts';

const folder = mkdtempSync(join(tmpdir(), 'byte-source-'));
const bytes = Uint8Array.from({ length: 100 }, (_, i) => i);
const path = join(folder, 'file');
writeFileSync(path, bytes);
afterAll(() => rmSync(folder, { recursive: true }));

const sources: [string, () => Promise<ByteSource>][] = [
  ['bytesSource', async () => bytesSource(bytes, 'memory')],
  ['blobSource', async () => blobSource(new Blob([bytes]), 'blob')],
  ['fileSource', () => fileSource(path)],
];

describe.each(sources)('%s', (_, open) => {
  it('reads what lies within, in fresh memory', async () => {
    const source = await open();
    expect(source.size).toBe(100);
    const first = await source.read(10, 3);
    expect([...first]).toEqual([10, 11, 12]);
    expect(first.byteOffset).toBe(0);
    first[0] = 99;
    expect([...(await source.read(10, 1))]).toEqual([10]);
    expect((await source.read(100, 0)).length).toBe(0);
    expect((await source.read(0, 100)).length).toBe(100);
    await source.close();
  });

  it.each([
    [99, 2],
    [101, 0],
    [-1, 1],
    [0, -1],
    [0, 2 ** 60],
    [0.5, 1],
    [Number.NaN, 1],
  ])('refuses %d + %d', async (offset, length) => {
    const source = await open();
    const { message } = await userError(() => source.read(offset, length));
    expect(message).toContain(source.name);
    expect(message).toMatch(/truncated.*100 bytes/);
    await source.close();
  });
});

describe('blobSource', () => {
  it('says so when the file behind it has gone', async () => {
    const gone = {
      size: 5,
      slice: () => ({ arrayBuffer: () => Promise.reject(new Error('NotReadableError')) }),
    };
    const { message } = await userError(() => blobSource(gone as unknown as Blob, 'dropped').read(0, 5));
    expect(message).toMatch(/dropped: cannot be read any more.*Choose the file again/);
  });
});

describe('fileSource', () => {
  it.each([
    ['missing', /missing: cannot read: no such file/],
    ['file/below', /a part of the path is a file/],
    ['.', /is a folder, expected a file/],
    ['x'.repeat(300), /the name is too long/],
  ])('explains %s', async (name, message) => {
    expect((await userError(() => fileSource(join(folder, name)))).message).toMatch(message);
  });

  it('refuses a device, and a pipe that nobody writes to', async () => {
    expect((await userError(() => fileSource('/dev/zero'))).message).toMatch(/a device or a pipe/);
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    expect((await userError(() => fileSource(join(folder, 'pipe')))).message).toMatch(/a device or a pipe/);
  });

  it('notices a file that shrinks while it is read', async () => {
    const shrinking = join(folder, 'shrinking');
    writeFileSync(shrinking, bytes);
    const source = await fileSource(shrinking);
    truncateSync(shrinking, 50);
    expect((await userError(() => source.read(40, 30))).message).toMatch(/became shorter/);
    await source.close();
  });

  it('reads beyond 4 GiB', async () => {
    const large = join(folder, 'large');
    execFileSync('truncate', ['-s', '5G', large]);
    const source = await fileSource(large);
    expect(source.size).toBe(5 * 2 ** 30);
    expect([...(await source.read(5 * 2 ** 30 - 2, 2))]).toEqual([0, 0]);
    await source.close();
  });
});

describe('fileError', () => {
  const systemError = (code: string) => Object.assign(new Error(`${code}: raw`), { code, syscall: 'write' });

  it.each([
    ['ENOSPC', /^\/p: cannot write: no space left on the device\. Free some space/],
    ['EDQUOT', /quota/],
    ['EACCES', /permission denied/],
    ['EPERM', /permission denied/],
    ['EROFS', /read-only/],
    ['ENOENT', /no such file or folder/],
    ['ENOTDIR', /not a folder/],
    ['EIO', /input\/output/],
    ['EWHAT', /EWHAT: raw/],
  ])('explains %s', (code, message) => {
    const cause = systemError(code);
    const error = fileError('cannot write', '/p', cause) as Error;
    expect(error.name).toBe('UserError');
    expect(error.message).toMatch(message);
    expect(error.cause).toBe(cause);
  });

  it('leaves other errors as they are', () => {
    const defect = new TypeError('defect');
    expect(fileError('cannot write', '/p', defect)).toBe(defect);
  });
});

describe('quoted', () => {
  it('shows untrusted text without its control characters, and not at length', () => {
    expect(quoted('a\n\x1b[31m"b"\u009b\u202e')).toBe('"a\\n\\u001b[31m\\"b\\"\\u{9b}\\u{202e}"');
    expect(quoted('x'.repeat(1000)).length).toBeLessThan(90);
  });
});
