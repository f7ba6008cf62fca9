/** Where `hrm data` gets its input from: files as they are, URLs downloaded once. */

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { extname, join, posix } from 'node:path';
import { UserError } from '@hrm-webgpu/core';
import { download, sha256 } from '../../data/input/download.node.ts';
import { makeFolder } from '../../formats/files/make-folder.node.ts';
import { ProgressBar, say } from '../terminal.ts';

export const SOURCE_OPTIONS = {
  sha256: { type: 'string' },
  'test-sha256': { type: 'string' },
  downloads: { type: 'string', default: 'downloads' },
} as const;

export const SOURCE_HELP = `  --sha256 HEX         what the SHA-256 of the file must be
  --test-sha256 HEX    the same for the file of the test split
  --downloads DIR      where downloads are kept, to be used again; default downloads`;

export interface Source {
  /** A path, or an address that begins with http:// or https://. */
  place: string;
  /** What the file's SHA-256 must be. */
  sha256: string | undefined;
  downloads: string;
}

/**
 * The path of a source on this machine, downloaded if need be and checked against its SHA-256 if there is one.
 *
 * @throws UserError as {@link download} does, and for another SHA-256
 */
export async function localFile(source: Source, signal: AbortSignal): Promise<string> {
  const { place, downloads } = source;
  if (source.sha256 !== undefined && !/^[0-9a-f]{64}$/i.test(source.sha256)) {
    throw new UserError(`'${source.sha256}' is no SHA-256: expected 64 hexadecimal digits`);
  }
  const isUrl = /^https?:\/\//i.test(place);
  const path = isUrl ? join(downloads, fileName(place)) : place;
  if (isUrl && !existsSync(path)) {
    makeFolder(downloads);
    await downloadWithBar(source, path, signal);
  } else if (isUrl || source.sha256 !== undefined) {
    const found = await sha256(path);
    if (isUrl) say(`${path}: downloaded before, SHA-256 ${found}`);
    if (source.sha256 !== undefined && found !== source.sha256.toLowerCase()) {
      throw new UserError(
        `${path}: has the SHA-256 ${found}, expected ${source.sha256}. Get the right file.`,
      );
    }
  }
  return path;
}

async function downloadWithBar(source: Source, path: string, signal: AbortSignal): Promise<void> {
  const bar = new ProgressBar('download');
  try {
    const digest = await download(source.place, path, {
      sha256: source.sha256,
      signal,
      onProgress: (done, total) => {
        const kilobytes = Math.ceil(done / 1000);
        bar.update(kilobytes, total === undefined ? kilobytes : Math.ceil(total / 1000), 'kB');
      },
    });
    bar.clear();
    say(`${path}: SHA-256 ${digest}`);
  } finally {
    bar.clear();
  }
}

/** The last part of the address, for people, and a hash of all of it: there is more than one train.csv. */
function fileName(url: string): string {
  const { pathname } = parseUrl(url);
  const name = posix.basename(pathname).replace(/[^\w.-]/g, '_') || 'download';
  const extension = extname(name);
  const digest = createHash('sha256').update(url).digest('hex').slice(0, 8);
  return `${name.slice(0, name.length - extension.length)}-${digest}${extension}`;
}

function parseUrl(url: string): URL {
  try {
    return new URL(url);
  } catch {
    throw new UserError(`${url}: is no valid address`);
  }
}
