import { fileURLToPath } from 'node:url';
import { UserError } from '@hrm-webgpu/core';
import { fileSource } from '../formats/files/file-source.node.ts';
import { openTensorFile } from '../formats/open-checkpoint.ts';
import { ownContext } from './checkpoint-context.ts';
import { downloadUrl } from './download-url.node.ts';
import { findCheckpoint, readContext } from './model-file.node.ts';
import { type OpenCheckpoint, type OpenOptions, openUrl } from './open-url.ts';

/**
 * Opens the checkpoint at a path (a file, or a folder with one) or behind an http(s) URL, with what stands beside it.
 *
 * @throws UserError when there is none
 */
export async function openNamed(name: string | URL, options: OpenOptions): Promise<OpenCheckpoint> {
  if (/^https?:\/\//i.test(String(name))) return openUrl(parseUrl(name), options, downloadUrl);
  const path = name instanceof URL ? fileURLToPath(name) : name;
  const file = await openTensorFile(await fileSource(findCheckpoint(path)));
  try {
    const own = ownContext(file);
    const context = own.config ? own : await readContext(file);
    return { file, context, downloaded: false };
  } catch (error) {
    await file.close();
    throw error;
  }
}

function parseUrl(name: string | URL): URL {
  if (URL.canParse(String(name))) return new URL(name);
  throw new UserError(`'${name}' is no URL of a checkpoint`);
}
