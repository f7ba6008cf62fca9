/** Downloads that survive dropped connections. Node only. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { UserError } from '@hrm-webgpu/core';
import { fileError } from '../../formats/files/file-error.node.ts';

export interface FetchOptions {
  signal?: AbortSignal;
  /** @param total undefined where the server does not tell */
  onProgress?: (done: number, total: number | undefined) => void;
  /** Silence of the server, in milliseconds, that counts as a dropped connection. */
  patience?: number;
  /** Milliseconds before another attempt; twice as long after each one that brought nothing. */
  pause?: number;
}

export interface DownloadOptions extends FetchOptions {
  /** What the file's SHA-256 must be, in hexadecimal. */
  sha256?: string;
}

/** Attempts in a row that bring nothing before giving up. */
const ATTEMPTS = 5;

/** A dropped connection or a server in trouble: worth another attempt, unless there never was a connection. */
class Interruption extends Error {
  constructor(
    message: string,
    readonly neverConnected = false,
  ) {
    super(message);
  }
}

/** The last attempt has failed as well. */
class GaveUp extends UserError {}

/** No such host, nothing listening: more likely a wrong address than passing trouble. */
const UNREACHABLE = ['ENOTFOUND', 'ECONNREFUSED'];

/**
 * Downloads `url` as the file `path`. What has come so far stands in `path`.part, to go on from, see
 * {@link fetchWhole}.
 *
 * @returns the SHA-256 of the file
 * @throws UserError as {@link fetchWhole} does, and if the checksum is another one
 */
export async function download(url: string, path: string, options: DownloadOptions = {}): Promise<string> {
  const part = `${path}.part`;
  try {
    await fetchWhole(url, part, options);
  } catch (error) {
    if (!(error instanceof GaveUp)) throw error;
    const kept = await sizeOf(part);
    if (kept === 0) throw error;
    throw new UserError(
      `${error.message} ${kept} bytes are kept in ${part}: the same command goes on from there.`,
    );
  }
  const found = await sha256(part);
  if (options.sha256 && found !== options.sha256.toLowerCase()) {
    await discard(part);
    throw new UserError(
      `${url}: has the SHA-256 ${found}, expected ${options.sha256}. The download was removed: try again, or ` +
        'check the address and the checksum.',
    );
  }
  await rename(part, path);
  await discard(part);
  return found;
}

/**
 * Writes what `url` holds to the file `part`, piece by piece. Beside it stands the server's name for this version of
 * the file: a later attempt, of this call or of another one, asks only for the rest and starts anew if the version has
 * changed. Both stay when this fails.
 *
 * @throws UserError if the server refuses, the connection drops for good, or the file cannot be written; the signal's
 *   reason when aborted
 */
export async function fetchWhole(url: string, part: string, options: FetchOptions = {}): Promise<void> {
  const { pause = 1000, signal } = options;
  for (let failures = 0; ; ) {
    const before = await sizeOf(part);
    try {
      return await fetchRest(url, part, options);
    } catch (cause) {
      signal?.throwIfAborted();
      if (!(cause instanceof Interruption)) throw fileError('cannot write', part, cause);
      const after = await sizeOf(part);
      failures = after > before ? 1 : failures + 1;
      if ((cause.neverConnected && after === 0) || failures === ATTEMPTS) {
        throw new GaveUp(
          `${url}: cannot be downloaded: ${cause.message}. Check the address and the connection.`,
        );
      }
    }
    await setTimeout(pause * 2 ** (failures - 1), undefined, { signal }).catch(() => {});
    signal?.throwIfAborted();
  }
}

/** The SHA-256 of a file, in hexadecimal. */
export async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk);
  } catch (cause) {
    throw fileError('cannot read', path, cause);
  }
  return hash.digest('hex');
}

/** One attempt: asks for what `part` lacks and adds it. */
async function fetchRest(url: string, part: string, options: FetchOptions): Promise<void> {
  const { signal, patience = 30_000 } = options;
  const silence = new AbortController();
  const timer = globalThis.setTimeout(() => silence.abort(), patience);
  const signals = [silence.signal, ...(signal ? [signal] : [])];
  let file: FileHandle | undefined;
  try {
    const version = await readFile(versionFile(part), 'utf8').catch(() => '');
    const start = version ? await sizeOf(part) : 0;
    const response = await fetch(url, {
      // Ranges count the bytes that are sent, so they must be those of the file.
      headers: {
        'accept-encoding': 'identity',
        ...(start > 0 && { range: `bytes=${start}-`, 'if-range': version }),
      },
      signal: AbortSignal.any(signals),
    });
    const continued = response.status === 206 && start > 0;
    await checkStatus(response, url, part);
    if (response.status === 206) checkRange(response, start);
    await writeFile(versionFile(part), versionOf(response));
    file = await open(part, continued ? 'a' : 'w');
    let done = continued ? start : 0;
    const length = isEncoded(response) ? null : response.headers.get('content-length');
    const total = length === null ? undefined : done + Number(length);
    for await (const chunk of response.body ?? []) {
      timer.refresh();
      await file.appendFile(chunk);
      done += chunk.length;
      options.onProgress?.(done, total);
    }
    if (total !== undefined && done !== total) throw new Interruption(`${done} of ${total} bytes came`);
  } catch (cause) {
    if (silence.signal.aborted) throw new Interruption(`nothing came for ${patience / 1000} seconds`);
    throw asInterruption(cause);
  } finally {
    clearTimeout(timer);
    await file?.close();
  }
}

async function checkStatus(response: Response, url: string, part: string): Promise<void> {
  const { status, statusText } = response;
  if (status === 200 || status === 206) return;
  await response.body?.cancel();
  const answer = `the server answered ${status} ${statusText}`.trim();
  // 416: what is there is no beginning of the file.
  if (status === 416) await discard(part);
  if (status === 416 || status === 408 || status === 429 || status >= 500) throw new Interruption(answer);
  throw new UserError(
    `${url}: cannot be downloaded: ${answer}. Check the address and whether it needs a login.`,
  );
}

/** @throws Interruption when it is another part of the file than was asked for */
function checkRange({ headers }: Response, start: number): void {
  const [, from] = headers.get('content-range')?.match(/^bytes (\d+)-/) ?? [];
  if (start > 0 && (from === undefined || Number(from) === start)) return;
  throw new Interruption(`the server sent a part from byte ${from ?? '?'}, asked for from ${start}`);
}

/** Whether it was compressed although it was not to be: its length and ranges are not those of the file. */
function isEncoded({ headers }: Response): boolean {
  return (headers.get('content-encoding') ?? 'identity') !== 'identity';
}

/** Names exactly one version of the file; empty where the server gives no such name. */
function versionOf(response: Response): string {
  if (isEncoded(response)) return '';
  const { headers } = response;
  const etag = headers.get('etag');
  // Weak ETags stand for files that are equal in meaning, not in bytes.
  return etag && !etag.startsWith('W/') ? etag : (headers.get('last-modified') ?? '');
}

const versionFile = (part: string) => `${part}.version`;

async function discard(part: string): Promise<void> {
  await rm(part, { force: true });
  await rm(versionFile(part), { force: true });
}

/** What fetch throws for network trouble is a TypeError whose cause says more. */
function asInterruption(cause: unknown): unknown {
  if (!(cause instanceof TypeError)) return cause;
  const reason = cause.cause as NodeJS.ErrnoException | undefined;
  // A host with several addresses fails with several errors, and only their code says something.
  const message = reason?.message || reason?.code || cause.message;
  // Without a code it is fetch itself that refuses the address.
  return new Interruption(message, !reason?.code || UNREACHABLE.includes(reason.code));
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}
