import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileError } from './file-error.node.ts';

/**
 * As mkdir -p. (Node's own recursive mkdir never returns for paths under /proc.)
 *
 * @throws UserError when the folder cannot be made
 */
export function makeFolder(folder: string): void {
  try {
    if (existsSync(folder)) readdirSync(folder);
    else {
      makeFolder(dirname(folder));
      mkdirSync(folder);
    }
  } catch (cause) {
    throw fileError('cannot make the folder', folder, cause);
  }
}
