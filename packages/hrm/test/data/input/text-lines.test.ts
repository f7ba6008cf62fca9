import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '@hrm-webgpu/core';
import { afterAll, describe, expect, it } from 'vitest';
import { readLines } from '../../../src/data/input/text-lines.node.ts';
import { parseCsvLine } from '../../../src/data/sudoku/csv.ts';

const folder = mkdtempSync(join(tmpdir(), 'hrm-lines-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function read(contents: string | Uint8Array): Promise<string[]> {
  const path = join(folder, 'file.txt');
  writeFileSync(path, contents);
  const all: string[] = [];
  for await (const { lines, first } of readLines(path)) {
    expect(first).toBe(all.length + 1);
    all.push(...lines);
  }
  return all;
}

describe('readLines', () => {
  it('knows all line ends and drops a byte order mark', async () => {
    expect(await read('a\nb\r\n\nc')).toEqual(['a', 'b', '', 'c']);
    expect(await read('\ufeffa\n')).toEqual(['a']);
    expect(await read('\n')).toEqual(['']);
  });

  it('reads lines and characters across blocks', async () => {
    const lines = Array.from({ length: 5000 }, (_, i) => `${i} ${'é→'.repeat(i % 400)}`);
    expect(await read(lines.join('\n'))).toEqual(lines);
    const long = 'ü'.repeat(3 * 2 ** 20);
    expect(await read(`a\n${long}\nb\n`)).toEqual(['a', long, 'b']);
  });

  it('refuses what is no text, naming the line', async () => {
    await expect(read('')).rejects.toThrow(/is empty/);
    await expect(read(Buffer.from('good\nb\xe9d\n', 'latin1'))).rejects.toThrow(/line 2: is not UTF-8/);
    await expect(read('x'.repeat(2 ** 24 + 2 ** 20 + 1))).rejects.toThrow(/line 1: is longer than 16 MiB/);
    await expect(readLines(join(folder, 'none')).next()).rejects.toThrow(UserError);
    await expect(readLines(folder).next()).rejects.toThrow(/is a folder/);
  });
});

describe('parseCsvLine', () => {
  it('splits fields, quoted ones too', () => {
    expect(parseCsvLine('a,b,,c')).toEqual(['a', 'b', '', 'c']);
    expect(parseCsvLine('')).toEqual(['']);
    expect(parseCsvLine('"a,b","say ""hi""",')).toEqual(['a,b', 'say "hi"', '']);
    expect(parseCsvLine('"",x')).toEqual(['', 'x']);
  });

  it('refuses quotes that do not match', () => {
    expect(parseCsvLine('"a,b')).toBeUndefined();
    expect(parseCsvLine('"a"b,c')).toBeUndefined();
    expect(parseCsvLine('a"b",c')).toBeUndefined();
  });
});
