import { existsSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileError } from './file-error.node.ts';

/**
 * As mkdir -p. (Node's own recursive mkdir never returns for paths under /proc.)
 *
 * @returns the folders that it made, for {@link removeFolders}
 * @throws UserError when the folder cannot be made; those above it are as they were
 */
export function makeFolder(folder: string): string[] {
  let made: string[] = [];
  try {
    if (existsSync(folder)) readdirSync(folder);
    else {
      made = makeFolder(dirname(folder));
      mkdirSync(folder);
      made.push(folder);
    }
    return made;
  } catch (cause) {
    removeFolders(made);
    throw fileError('cannot make the folder', folder, cause);
  }
}

/** Removes folders that {@link makeFolder} made, but not what others have put into them since. */
export function removeFolders(made: string[]): void {
  try {
    for (const folder of made.toReversed()) rmdirSync(folder);
  } catch {
    // Somebody uses it, or has removed it.
  }
}
