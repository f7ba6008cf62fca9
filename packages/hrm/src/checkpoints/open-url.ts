/** Opens a checkpoint behind a URL. */

import { UserError } from '@hrm-webgpu/core';
import type { ByteSource } from '../formats/files/byte-source.ts';
import { openTensorFile } from '../formats/open-checkpoint.ts';
import type { TensorFile } from '../formats/tensor-file.ts';
import {
  CHECKPOINT_NAMES,
  type CheckpointContext,
  CONFIG_FILE,
  ownContext,
  parseConfigFile,
} from './checkpoint-context.ts';

/** An open checkpoint and what is known of it; closing the file closes all. */
export interface OpenCheckpoint {
  readonly file: TensorFile;
  readonly context: CheckpointContext;
  /** Whether its bytes came over the net, and its weights are at hand now. */
  readonly downloaded: boolean;
}

/** Called as bytes arrive; `total` is undefined where a server does not tell it. */
export type OnProgress = (bytes: number, total: number | undefined) => void;

export interface OpenOptions {
  signal?: AbortSignal;
  /** Of a download. */
  onProgress?: OnProgress;
}

/** Downloads the file behind a URL, to wherever there is room for it. */
export type Download = (url: URL, options: OpenOptions) => Promise<ByteSource>;

/**
 * Opens the checkpoint behind a URL, or in the folder behind it, and the all_config.yaml beside it where it is needed.
 *
 * @throws UserError when it cannot be downloaded, or is no checkpoint; the signal's reason when aborted
 */
export async function openUrl(url: URL, options: OpenOptions, download: Download): Promise<OpenCheckpoint> {
  if (url.pathname.endsWith('/')) return openFile(await checkpointIn(url, options.signal), options, download);
  try {
    return await openFile(url, options, download);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const folder = new URL(url);
    folder.pathname += '/';
    try {
      return await openFile(await checkpointIn(folder, options.signal), options, download);
    } catch {
      options.signal?.throwIfAborted();
      throw error; // about the URL as it was given
    }
  }
}

/**
 * The checkpoint in a folder: servers do not list folders, so it is looked for by name.
 *
 * @throws UserError when there is none; the signal's reason when aborted
 */
async function checkpointIn(folder: URL, signal: AbortSignal | undefined): Promise<URL> {
  for (const name of CHECKPOINT_NAMES) {
    const url = new URL(name, folder);
    const { ok, headers } = await fetch(url, { method: 'HEAD', signal }).catch((cause) => {
      throw fetchError(url, cause, signal);
    });
    // Some servers answer everything with a page.
    if (ok && !headers.get('content-type')?.startsWith('text/html')) return url;
  }
  throw new UserError(`${folder} has no checkpoint in it (looked for ${CHECKPOINT_NAMES.join(', ')})`);
}

async function openFile(url: URL, options: OpenOptions, download: Download): Promise<OpenCheckpoint> {
  const file = await openTensorFile(await download(url, options));
  try {
    const own = ownContext(file);
    const context = own.config ? own : { beside: await configBeside(url, options.signal) };
    return { file, context, downloaded: true };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function configBeside(url: URL, signal: AbortSignal | undefined) {
  const beside = new URL(CONFIG_FILE, url);
  try {
    const response = await fetch(beside, { signal });
    if (response.status === 404) return undefined;
    checkAnswer(beside, response);
    return await parseConfigFile(await response.text(), beside.href);
  } catch (cause) {
    throw fetchError(beside, cause, signal);
  }
}

/** @throws UserError for an answer that is not the file */
export function checkAnswer(url: URL, { ok, status, statusText }: Response): void {
  if (!ok) throw new UserError(`${url}: the server says ${status} ${statusText}`);
}

/** The error to throw when fetching `url` failed with `cause`. */
export function fetchError(url: URL, cause: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason;
  if (cause instanceof UserError) return cause;
  const { message, cause: reason } = cause as Error;
  const detail = reason instanceof Error && reason.message ? reason.message : message;
  return new UserError(`${url}: cannot be downloaded (${detail}). Check the address and the connection.`, {
    cause,
  });
}
