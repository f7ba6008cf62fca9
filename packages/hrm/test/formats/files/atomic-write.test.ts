import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { writeFileAtomic } from '../../../src/formats/files/atomic-write.node.ts';
import { userError } from '../fixtures.ts';

let folder = '';
let path = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'atomic-'));
  path = join(folder, 'checkpoint');
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true });
});

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const onlyFileIsOld = () => {
  expect(readdirSync(folder)).toEqual(['checkpoint']);
  expect(readFileSync(path, 'utf8')).toBe('old');
};

/** Makes the next call of `method` on any file handle fail with `code`. */
async function failNext(method: 'write' | 'sync', code: string): Promise<void> {
  const handle = await open(folder, 'r');
  const prototype = Object.getPrototypeOf(handle) as typeof handle;
  await handle.close();
  const error = Object.assign(new Error(code), { code, syscall: method });
  vi.spyOn(prototype, method).mockRejectedValueOnce(error);
}

describe('writeFileAtomic', () => {
  it('writes the chunks one after the other, over an old file too', async () => {
    await writeFileAtomic(path, [bytes('one '), bytes(''), bytes('two')]);
    expect(readFileSync(path, 'utf8')).toBe('one two');
    await writeFileAtomic(path, []);
    expect(readFileSync(path, 'utf8')).toBe('');
    expect(readdirSync(folder)).toEqual(['checkpoint']);
  });

  it('takes chunks as they come', async () => {
    async function* chunks() {
      yield bytes('a');
      yield bytes('b');
    }
    await writeFileAtomic(path, chunks());
    expect(readFileSync(path, 'utf8')).toBe('ab');
  });

  it('goes on after a short write', async () => {
    const handle = await open(folder, 'r');
    const prototype = Object.getPrototypeOf(handle) as typeof handle;
    await handle.close();
    const write = prototype.write;
    vi.spyOn(prototype, 'write').mockImplementation(function (this: unknown, ...args: unknown[]) {
      const [chunk, from, length] = args as [Uint8Array, number, number];
      return Reflect.apply(write, this, [chunk, from, Math.min(length, 3)]);
    } as never);
    await writeFileAtomic(path, [bytes('0123456789')]);
    expect(readFileSync(path, 'utf8')).toBe('0123456789');
  });

  it.each([
    ['write', 'ENOSPC', /no space left/],
    ['write', 'EIO', /input\/output/],
    ['sync', 'ENOSPC', /no space left/],
    ['write', 'EROFS', /read-only/],
  ] as const)('keeps the old file when %s fails with %s', async (method, code, message) => {
    writeFileSync(path, 'old');
    await failNext(method, code);
    const error = await userError(() => writeFileAtomic(path, [bytes('new')]));
    expect(error.message).toMatch(message);
    expect(error.message).toContain(path);
    onlyFileIsOld();
  });

  it('keeps the old file when the chunks fail, and passes their error on', async () => {
    writeFileSync(path, 'old');
    function* chunks() {
      yield bytes('new');
      throw new TypeError('device lost');
    }
    await expect(writeFileAtomic(path, chunks())).rejects.toThrow(TypeError);
    onlyFileIsOld();
  });

  it('explains a missing folder, a file in its place, and a folder in the place of the file', async () => {
    const missing = await userError(() => writeFileAtomic(join(folder, 'no', 'file'), [bytes('x')]));
    expect(missing.message).toMatch(/no such file or folder/);
    writeFileSync(path, 'old');
    const notFolder = await userError(() => writeFileAtomic(join(path, 'file'), [bytes('x')]));
    expect(notFolder.message).toMatch(/not a folder/);
    mkdirSync(join(folder, 'sub'));
    const isFolder = await userError(() => writeFileAtomic(join(folder, 'sub'), [bytes('x')]));
    expect(isFolder.message).toMatch(/it is a folder/);
    expect(readdirSync(folder).sort()).toEqual(['checkpoint', 'sub']);
  });
});
