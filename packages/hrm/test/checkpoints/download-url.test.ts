/** Checkpoints behind a URL: in Node in a temporary file, in browsers in a Blob. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { downloadUrl as downloadInBrowser } from '../../src/checkpoints/download-url.browser.ts';
import { downloadUrl } from '../../src/checkpoints/download-url.node.ts';
import { openNamed } from '../../src/checkpoints/open-named.node.ts';
import { fixtureBytes, userError } from '../formats/fixtures.ts';

const bytes = fixtureBytes('tiny-rope/checkpoint');
const folder = mkdtempSync(join(tmpdir(), 'hrm-download-url-'));
/** Where temporary files are made: nobody else's are in it. */
const temporary = join(folder, 'tmp');
const left = () => readdirSync(temporary);

type Handler = (request: IncomingMessage, response: ServerResponse) => void;
let handle: Handler = () => {};
const server = createServer((request, response) => handle(request, response));
let url: URL;

beforeAll(async () => {
  mkdirSync(temporary);
  vi.stubEnv('TMPDIR', temporary);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/runs/checkpoint`);
});
afterAll(() => {
  vi.unstubAllEnvs();
  server.close();
  server.closeAllConnections();
  rmSync(folder, { recursive: true });
});

const serve: Handler = ({ url: path = '' }, response) => {
  const name = path.slice('/runs/'.length);
  if (!['checkpoint', 'all_config.yaml'].includes(name)) return response.writeHead(404).end();
  const contents = fixtureBytes(`tiny-rope/${name}`);
  return response.writeHead(200, { etag: '"1"', 'content-length': contents.length }).end(contents);
};

/** Sends the beginning of the file and nothing more. */
const stall: Handler = (_, response) => {
  response.writeHead(200, { 'content-length': bytes.length });
  response.write(bytes.subarray(0, 1000));
};

describe.each([
  ['in Node', downloadUrl],
  ['in a browser', downloadInBrowser],
])('a download %s', (_, download) => {
  it('brings all bytes, and tells how far it is', async () => {
    handle = serve;
    const progress: [number, number | undefined][] = [];
    const source = await download(url, { onProgress: (...at) => progress.push(at) });
    expect([source.name, source.size]).toEqual([url.href, bytes.length]);
    expect(await source.read(1000, 5000)).toEqual(bytes.slice(1000, 6000));
    await source.close();
    expect(progress.at(-1)).toEqual([bytes.length, bytes.length]);
    expect(new Set(progress.map(([, total]) => total)).size).toBe(1);
  });

  it('does not take the size of a compressed transfer for that of the file', async () => {
    const packed = gzipSync(bytes);
    handle = (_, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': packed.length }).end(packed);
    let last: [number, number | undefined] | undefined;
    const source = await download(url, {
      onProgress: (...at) => {
        last = at;
      },
    });
    expect([source.size, last]).toEqual([bytes.length, [bytes.length, undefined]]);
    await source.close();
  });

  it('stops when it is told to, and leaves nothing behind', async () => {
    handle = stall;
    const controller = new AbortController();
    const reason = new Error('enough');
    const onProgress = () => controller.abort(reason);
    await expect(download(url, { signal: controller.signal, onProgress })).rejects.toBe(reason);
    expect(left()).toEqual([]);
  });

  it('says when the server refuses, and leaves nothing behind', async () => {
    handle = serve;
    const other = new URL('other', url);
    expect((await userError(() => download(other, {}))).message).toMatch(/\/runs\/other: .*the server .*404/);
    expect(left()).toEqual([]);
  });
});

describe('openNamed in Node', () => {
  it('keeps the checkpoint in a temporary file until it is closed, and reads what lies beside its URL', async () => {
    handle = serve;
    const { file, context, downloaded } = await openNamed(url, {});
    expect(downloaded).toBe(true);
    expect(left()).toHaveLength(1);
    expect(context.beside?.path).toBe(new URL('all_config.yaml', url).href);
    expect((await file.readF32('q_head.bias')).length).toBe(2);
    await file.close();
    expect(left()).toEqual([]);
  });

  it('goes on after a dropped connection', async () => {
    const ranges: (string | undefined)[] = [];
    handle = (request, response) => {
      if (request.url !== url.pathname) return serve(request, response);
      ranges.push(request.headers.range);
      const start = ranges.length === 1 ? 0 : 1000;
      const head = { etag: '"1"', 'content-length': bytes.length - start };
      response.writeHead(start ? 206 : 200, head);
      if (start) response.end(bytes.subarray(start));
      else response.write(bytes.subarray(0, 1000), () => setTimeout(() => response.destroy(), 500));
    };
    const { file } = await openNamed(url, {});
    expect(ranges).toEqual([undefined, 'bytes=1000-']);
    await file.close();
  });

  it('does not take another part of the file for the one that it asked for', async () => {
    let requests = 0;
    handle = (request, response) => {
      if (request.url !== url.pathname) return serve(request, response);
      if (++requests > 2) return response.end(bytes);
      const range =
        requests === 1 ? {} : { 'content-range': `bytes 500-${bytes.length - 1}/${bytes.length}` };
      return response.writeHead(206, { etag: '"1"', ...range }).end(bytes.subarray(500));
    };
    const { file } = await openNamed(url, {});
    expect(requests).toBe(3);
    await file.close();
  });

  it('removes what is no checkpoint, or has damaged company', async () => {
    handle = (_, response) => response.end('<html>');
    expect((await userError(() => openNamed(url, {}))).message).toMatch(
      /checkpoint: not a checkpoint.*web page/,
    );
    expect(left()).toEqual([]);
    handle = (request, response) =>
      request.url === url.pathname ? serve(request, response) : response.end('arch: [');
    await userError(() => openNamed(url, {}));
    expect(left()).toEqual([]);
  });

  it.each(['/runs/', '/runs'])(
    'finds the checkpoint in the folder %s, and its configuration',
    async (path) => {
      const asked: string[] = [];
      handle = (request, response) => {
        asked.push(`${request.method} ${request.url}`);
        if (request.url === path) response.end('<html>an index');
        else if (request.url === '/runs/checkpoint.safetensors')
          response.writeHead(200, { 'content-type': 'text/html' }).end(); // a server that knows no 404
        else serve(request, response);
      };
      const { file, context } = await openNamed(new URL(path, url), {});
      expect(file.name).toBe(url.href);
      expect(context.beside?.path).toBe(new URL('all_config.yaml', url).href);
      expect(asked.filter((request) => request.startsWith('HEAD'))).toEqual([
        'HEAD /runs/best.safetensors',
        'HEAD /runs/checkpoint.safetensors',
        'HEAD /runs/checkpoint',
      ]);
      await file.close();
    },
  );

  it('says what a folder without a checkpoint was searched for', async () => {
    handle = (_, response) => response.writeHead(404).end();
    expect((await userError(() => openNamed(new URL('/none/', url), {}))).message).toMatch(
      /\/none\/ has no checkpoint in it \(looked for best\.safetensors, checkpoint\.safetensors, checkpoint\)/,
    );
    expect((await userError(() => openNamed(new URL('/none', url), {}))).message).toMatch(/\/none: .*404/);
    expect(left()).toEqual([]);
  });

  it('refuses an address that is none', async () => {
    expect((await userError(() => openNamed('http://', {}))).message).toMatch(/'http:\/\/' is no URL/);
  });

  it('says how to choose another place where there is no room', async () => {
    handle = serve;
    const none = join(folder, 'none');
    vi.stubEnv('TMPDIR', none);
    const { message } = await userError(() => openNamed(url, {}));
    vi.stubEnv('TMPDIR', temporary);
    expect(message).toMatch(
      /none\/hrm-url-: cannot make the folder: no such file.*variable TMPDIR names another/,
    );
    expect(existsSync(none)).toBe(false);
  });
});
