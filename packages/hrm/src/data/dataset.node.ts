/** Datasets in folders: `<dir>/<split>/…` and `<dir>/identifiers.json`, exactly as published. */

import { mkdir, open, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@hrm-webgpu/core';
import { decodeSplit, encodeSplit, type Split } from './dataset.ts';

/** A single read gives at most 2 GiB, and the inputs of augmented ARC are larger. */
const READ_BYTES = 2 ** 30;

/**
 * Reads and checks one split of a dataset folder.
 *
 * @param name `train` or `test`; any folder name will do
 * @throws UserError naming the file that is missing or wrong
 */
export function readSplit(dir: string, name: string): Promise<Split> {
  const folder = join(dir, name);
  return decodeSplit((file) => readBytes(join(folder, file)), folder);
}

/**
 * Checks a split and writes it as `<dir>/<name>/`, whole or not at all.
 *
 * @throws UserError if the split is not valid, is there already, or cannot be written
 */
export async function writeSplit(dir: string, name: string, split: Split): Promise<void> {
  const folder = join(dir, name);
  const exists = await stat(folder).catch(() => undefined);
  if (exists) throw new UserError(`${folder}: exists already. Remove it or choose another folder.`);
  await writeThenRename(folder, async (unfinished) => {
    await mkdir(unfinished, { recursive: true });
    for (const [file, bytes] of encodeSplit(split)) await writeFile(join(unfinished, file), bytes);
  });
}

/**
 * Reads `<dir>/identifiers.json`: the puzzles' names by identifier, `<blank>` first.
 *
 * @throws UserError if it is missing or no list of names
 */
export async function readIdentifiers(dir: string): Promise<string[]> {
  const file = join(dir, 'identifiers.json');
  const text = new TextDecoder().decode(await readBytes(file));
  let names: unknown;
  try {
    names = JSON.parse(text);
  } catch (error) {
    throw new UserError(`${file}: is not valid JSON (${(error as Error).message}). Build the dataset again.`);
  }
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) {
    throw new UserError(`${file}: expected a list of names, ["<blank>", …]. Build the dataset again.`);
  }
  return names;
}

/** Writes `<dir>/identifiers.json`, replacing it. */
export async function writeIdentifiers(dir: string, names: string[]): Promise<void> {
  await writeThenRename(join(dir, 'identifiers.json'), async (unfinished) => {
    await mkdir(dir, { recursive: true });
    await writeFile(unfinished, `${JSON.stringify(names, null, 2)}\n`);
  });
}

/** Writes beside `path` and moves the result there, so that no half-written thing ever bears the name. */
async function writeThenRename(path: string, write: (unfinished: string) => Promise<void>): Promise<void> {
  const unfinished = `${path}.unfinished-${process.pid}`;
  try {
    await write(unfinished);
    await rename(unfinished, path);
  } catch (error) {
    // Should this fail too, the first error is the one to tell.
    await rm(unfinished, { recursive: true, force: true }).catch(() => {});
    if (error instanceof UserError) throw error;
    throw new UserError(
      `${path}: cannot be written (${(error as Error).message}). Check space and permissions.`,
    );
  }
}

async function readBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const file = await open(path).catch((error) => {
    throw unreadable(path, error);
  });
  try {
    const bytes = new Uint8Array((await file.stat()).size);
    for (let at = 0; at < bytes.length; ) {
      const { bytesRead } = await file.read(bytes, at, Math.min(READ_BYTES, bytes.length - at));
      if (bytesRead === 0) throw new Error('the file became shorter while it was read');
      at += bytesRead;
    }
    return bytes;
  } catch (error) {
    throw unreadable(path, error as Error);
  } finally {
    await file.close();
  }
}

function unreadable(path: string, error: NodeJS.ErrnoException): UserError {
  if (error.code === 'ENOENT') {
    return new UserError(
      `${path}: not found. Expected a dataset folder with identifiers.json, train/ and test/, and in these ` +
        'dataset.json and the arrays of its sets: check the path or build the dataset.',
    );
  }
  return new UserError(`${path}: cannot be read (${error.message}). Check that it is a file you may read.`);
}
