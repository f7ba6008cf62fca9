/** Opens a checkpoint behind a URL. */

import { UserError } from '@hrm-webgpu/core';
import { readMetadata } from './checkpoint.ts';
import { type CheckpointContext, CONFIG_FILE, parseConfigFile } from './checkpoint-context.ts';
import { blobSource } from './formats/byte-source.ts';
import { openTensorFile } from './formats/open-checkpoint.ts';
import type { TensorFile } from './formats/tensor-file.ts';

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

/**
 * Downloads the checkpoint behind a URL, into a Blob (which browsers keep on disk where it is large), and the
 * all_config.yaml beside it where it is needed.
 *
 * @throws UserError when it cannot be downloaded, or is no checkpoint
 */
export async function openUrl(url: URL, { signal, onProgress }: OpenOptions = {}): Promise<OpenCheckpoint> {
  const response = await get(url, signal);
  if (!response.ok) throw new UserError(`${url}: the server says ${response.status} ${response.statusText}`);
  const blob = await download(response, url, signal, onProgress);
  const file = await openTensorFile(blobSource(blob, url.href));
  try {
    const metadata = readMetadata(file);
    const context = metadata ? { metadata } : { beside: await configBeside(url, signal) };
    return { file, context, downloaded: true };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function configBeside(url: URL, signal: AbortSignal | undefined) {
  const beside = new URL(CONFIG_FILE, url);
  const response = await get(beside, signal);
  if (response.status === 404) return undefined;
  if (!response.ok) {
    throw new UserError(`${beside}: the server says ${response.status} ${response.statusText}`);
  }
  return parseConfigFile(await response.text(), beside.href);
}

async function get(url: URL, signal: AbortSignal | undefined): Promise<Response> {
  try {
    return await fetch(url, { signal });
  } catch (cause) {
    throw unreachable(url, cause, signal);
  }
}

async function download(
  response: Response,
  url: URL,
  signal: AbortSignal | undefined,
  onProgress: OnProgress | undefined,
): Promise<Blob> {
  // The length is that of the transfer, which compression makes another than that of the file.
  const told = response.headers.has('content-encoding') ? null : response.headers.get('content-length');
  const total = told === null ? undefined : Number(told);
  let bytes = 0;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(piece, controller) {
      bytes += piece.byteLength;
      onProgress?.(bytes, total);
      controller.enqueue(piece);
    },
  });
  try {
    return await new Response(response.body?.pipeThrough(counter)).blob();
  } catch (cause) {
    throw unreachable(url, cause, signal);
  }
}

function unreachable(url: URL, cause: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason;
  const { message, cause: reason } = cause as Error;
  const detail = reason instanceof Error && reason.message ? reason.message : message;
  return new UserError(`${url}: cannot be downloaded (${detail}). Check the address and the connection.`, {
    cause,
  });
}
