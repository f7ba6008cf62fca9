/** Datasets in folders: `<dir>/<split>/…` and `<dir>/identifiers.json`, exactly as published. */

import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@hrm-webgpu/core';
import { parseJson } from '../../formats/json.ts';
import { quoted } from '../../formats/quote.ts';
import { breather } from '../input/breather.node.ts';
import { TokenFile } from '../input/token-file.node.ts';
import { BLANK, decodeSplit, encodeSplit, type Split } from './dataset.ts';

/** A split whose inputs and labels are read from their files when they are needed. */
export interface OpenSplit extends Split {
  /** Closes the files; may be called again. Their rows cannot be read any more. */
  close(): void;
}

/**
 * Opens one split of a dataset folder. All of it is read once, to check it, but only what is small stays in memory:
 * leave the files alone while the split is in use, and close it after.
 *
 * @param name `train` or `test`; any folder name will do
 * @param signal once it is aborted, the checking ends with its reason
 * @throws UserError naming the file that is missing or wrong
 */
export async function readSplit(dir: string, name: string, signal?: AbortSignal): Promise<OpenSplit> {
  const folder = join(dir, name);
  const files: TokenFile[] = [];
  const close = () => {
    for (const file of files) file.close();
  };
  const openRows = (file: string, columns: number) => {
    const path = join(folder, file);
    try {
      const rows = TokenFile.open(path, columns);
      files.push(rows);
      return rows;
    } catch (error) {
      throw unreadable(path, error as Error);
    }
  };
  try {
    const read = (file: string) => readBytes(join(folder, file));
    return { ...(await decodeSplit(read, folder, { openRows, breathe: breather(signal) })), close };
  } catch (error) {
    close();
    throw error;
  }
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
 * @throws UserError if it is missing, no list of names, or one that begins with another name
 */
export async function readIdentifiers(dir: string): Promise<string[]> {
  const file = join(dir, 'identifiers.json');
  const text = new TextDecoder().decode(await readBytes(file));
  let names: unknown;
  try {
    names = parseJson(text);
  } catch (error) {
    throw new UserError(`${file}: is not valid JSON (${(error as Error).message}). Build the dataset again.`);
  }
  if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) {
    throw new UserError(`${file}: expected a list of names, ["<blank>", …]. Build the dataset again.`);
  }
  if (names[BLANK.identifier] !== BLANK.name) {
    const found = names.length === 0 ? 'no names' : `${quoted(names[BLANK.identifier])} first`;
    throw new UserError(
      `${file}: holds ${found}, expected "${BLANK.name}": a puzzle's place in the list is its identifier, and ` +
        `${BLANK.identifier} is no puzzle's. Build the dataset again.`,
    );
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
  const unfinished = `${path}.unfinished-${randomUUID().slice(0, 8)}`;
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
  return readFile(path).catch((error) => {
    throw unreadable(path, error);
  });
}

function unreadable(path: string, error: NodeJS.ErrnoException): UserError {
  if (error instanceof UserError) return error;
  if (error.code === 'ENOENT') {
    return new UserError(
      `${path}: not found. Expected a dataset folder with identifiers.json, train/ and test/, and in these ` +
        'dataset.json and the arrays of its sets: check the path or build the dataset.',
    );
  }
  return new UserError(`${path}: cannot be read (${error.message}). Check that it is a file you may read.`);
}
