import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '@hrm-webgpu/core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writeDataset } from '../../../src/data/dataset/dataset-writer.node.ts';
import { makeFolder, removeFolders } from '../../../src/formats/files/make-folder.node.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'hrm-folder-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

it('makes the folders that are missing, and removes what it made', () => {
  mkdirSync(join(dir, 'old'));
  const made = makeFolder(join(dir, 'old/a/b'));
  expect(made).toEqual([join(dir, 'old/a'), join(dir, 'old/a/b')]);
  expect(existsSync(join(dir, 'old/a/b'))).toBe(true);
  expect(makeFolder(join(dir, 'old/a/b'))).toEqual([]);
  removeFolders(made);
  expect(readdirSync(dir, { recursive: true })).toEqual(['old']);
});

it('leaves what others have put into a folder', () => {
  const made = makeFolder(join(dir, 'a/b'));
  writeFileSync(join(dir, 'a/theirs'), '');
  removeFolders(made);
  expect(readdirSync(dir, { recursive: true }).sort()).toEqual(['a', 'a/theirs']);
});

it('leaves no folder when one further down cannot be made', () => {
  const long = 'x'.repeat(300);
  expect(() => makeFolder(join(dir, `a/b/${long}`))).toThrow(UserError);
  expect(() => makeFolder(join(dir, `a/b/${long}`))).toThrow(
    /x: cannot make the folder: the name is too long/,
  );
  expect(readdirSync(dir)).toEqual([]);
});

it('leaves no folder above a dataset that could not be built', async () => {
  const build = writeDataset(join(dir, 's/deep/er/x'), async (dataset) => {
    await dataset.addIdentifier('one');
    throw new UserError('a bad row');
  });
  await expect(build).rejects.toThrow('a bad row');
  expect(readdirSync(dir)).toEqual([]);
});
