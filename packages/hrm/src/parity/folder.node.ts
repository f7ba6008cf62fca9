import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@hrm-webgpu/core';
import { fileSource } from '../formats/files/file-source.node.ts';
import type { OpenFile } from './fixture.ts';

/** The files of a folder on disk. */
export function folderFiles(folder: string): OpenFile {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new UserError(
      `${folder}: no such folder; give a fixture folder (config.json, checkpoint, eval.safetensors, …)`,
    );
  }
  return async (name) => (existsSync(join(folder, name)) ? fileSource(join(folder, name)) : undefined);
}
