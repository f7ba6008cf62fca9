/** The checkpoints of a run in its folder: the last few by step, and the newest under the name that everything reads. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { copyFile, link, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@hrm-webgpu/core';
import { RUN_FILES } from '../../../checkpoints/model-file.node.ts';
import {
  syncFile,
  syncFolder,
  temporaryName,
  writeFileAtomic,
} from '../../../formats/files/atomic-write.node.ts';
import { fileError } from '../../../formats/files/file-error.node.ts';
import { fileSource } from '../../../formats/files/file-source.node.ts';
import { openTensorFile } from '../../../formats/open-checkpoint.ts';
import type { TensorFile } from '../../../formats/tensor-file.ts';
import { readMetadata } from '../../../training/checkpoint.ts';
import { say } from '../../terminal.ts';

/** What the checkpoint of a step is called. */
export const NUMBERED = /^checkpoint-(\d+)\.safetensors$/;

/** Systems without hard links, or folders on such. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'ENOSYS', 'EXDEV', 'EMLINK']);

/** The checkpoints of a folder that are named by their step, the newest first. */
export function numberedIn(folder: string): string[] {
  return readdirSync(folder)
    .flatMap((name) => {
      const [, step] = name.match(NUMBERED) ?? [];
      return step === undefined ? [] : [{ name, step: Number(step) }];
    })
    .sort((a, b) => b.step - a.step)
    .map(({ name }) => join(folder, name));
}

/** All checkpoints of a folder, each once, the newest first. */
function checkpointsIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const numbered = numberedIn(folder);
  const latest = join(folder, RUN_FILES.latest);
  if (!existsSync(latest)) return numbered;
  return numbered.some((path) => isSameFile(path, latest)) ? numbered : [latest, ...numbered];
}

/** Whether two paths that are there are names of one file. */
function isSameFile(path: string, other: string): boolean {
  const [a, b] = [statSync(path), statSync(other)];
  return a.dev === b.dev && a.ino === b.ino;
}

/**
 * Writes the checkpoint of a step: whole, or none. It becomes the newest, and of those before it the last `keep` − 1 stay.
 *
 * @throws UserError as `writeFileAtomic`; what was there before is as it was
 */
export async function writeCheckpoint(
  folder: string,
  step: number,
  chunks: Uint8Array[],
  keep: number,
): Promise<void> {
  const named = join(folder, `checkpoint-${step}.safetensors`);
  await writeFileAtomic(named, chunks);
  const latest = join(folder, RUN_FILES.latest);
  try {
    await nameLatest(named, latest);
    await syncFolder(folder);
    for (const path of numberedIn(folder).slice(keep)) await rm(path, { force: true });
  } catch (cause) {
    throw fileError('cannot write', latest, cause);
  }
}

/** A second name of the same file, which costs no room; a copy where there are no such names. */
async function nameLatest(named: string, latest: string): Promise<void> {
  const temporary = temporaryName(latest);
  try {
    try {
      await link(named, temporary);
    } catch (cause) {
      if (!NO_LINKS.has(String((cause as NodeJS.ErrnoException).code))) throw cause;
      await copyFile(named, temporary);
      await syncFile(temporary);
    }
    await rename(temporary, latest);
  } finally {
    await rm(temporary, { force: true }); // to rename a file to another name of its own does nothing
  }
}

/** Whether a folder has what a run can go on from. */
export const hasCheckpoint = (folder: string): boolean => checkpointsIn(folder).length > 0;

/** @throws UserError when a folder has nothing to go on from */
export function expectRun(folder: string): void {
  if (hasCheckpoint(folder)) return;
  throw new UserError(`${folder} has no ${RUN_FILES.latest} to resume from; start the run without --resume`);
}

/**
 * The newest checkpoint of a run that is whole, every byte of it; those that are damaged are named. It gets the name that everything
 * reads, if a kill or damage left it without. To be closed by the caller, who holds the run's lock.
 *
 * @throws UserError when there is none, or its name cannot be given
 */
export async function openNewestWhole(folder: string): Promise<TensorFile> {
  const { file, path } = await findNewestWhole(checkpointsIn(folder));
  const latest = join(folder, RUN_FILES.latest);
  if (existsSync(latest) && isSameFile(path, latest)) return file;
  try {
    await nameLatest(path, latest);
  } catch (cause) {
    await file.close();
    throw fileError('cannot write', latest, cause);
  }
  return file;
}

async function findNewestWhole(paths: readonly string[]): Promise<{ file: TensorFile; path: string }> {
  for (const [i, path] of paths.entries()) {
    try {
      return { file: await openWhole(path), path };
    } catch (error) {
      if (!(error instanceof UserError) || i === paths.length - 1) throw error;
      say(`${error.message}\nGoing on from the checkpoint before it, ${paths[i + 1]}.`);
    }
  }
  throw new Error('unreachable');
}

/** @throws UserError for a file that is not as it was written */
async function openWhole(path: string): Promise<TensorFile> {
  const file = await openTensorFile(await fileSource(path));
  try {
    readMetadata(file);
    for (const name of file.names) for await (const _ of file.piecesF32(name));
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}
