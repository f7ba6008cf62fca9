import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { UserError } from '@hrm-webgpu/core';
import { afterAll, afterEach, expect, it } from 'vitest';
import { download } from '../../../src/data/input/download.node.ts';

const folder = mkdtempSync(join(tmpdir(), 'hrm-download-'));
const body = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7 + (i >> 8)) & 255));
const digest = createHash('sha256').update(body).digest('hex');

let handle: (request: IncomingMessage, response: ServerResponse) => void = () => {};
let requests: IncomingMessage[] = [];
const server = createServer((request, response) => {
  requests.push(request);
  handle(request, response);
});
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/data.csv`;

afterAll(() => {
  server.close();
  server.closeAllConnections();
  rmSync(folder, { recursive: true });
});
let files = 0;
const newPath = () => join(folder, `file-${files++}`);
afterEach(() => {
  requests = [];
});

/** Serves `body`, ranges too if `if-range` names this version; drops the connection after `most` bytes. */
function serve(most = Number.POSITIVE_INFINITY, version = '"v1"') {
  return (request: IncomingMessage, response: ServerResponse) => {
    const range = /bytes=(\d+)-/.exec(request.headers.range ?? '');
    const start = range && request.headers['if-range'] === version ? Number(range[1]) : 0;
    response.writeHead(start > 0 ? 206 : 200, {
      etag: version,
      'content-length': body.length - start,
      ...(start > 0 && { 'content-range': `bytes ${start}-${body.length - 1}/${body.length}` }),
    });
    const rest = body.subarray(start);
    if (rest.length <= most) response.end(rest);
    else response.write(rest.subarray(0, most), () => dropAfter(start + most, response));
  };
}

/** Drops the connection once so many bytes of the file are kept: what a client has not read yet is lost with it. */
function dropAfter(bytes: number, response: ServerResponse) {
  const part = join(folder, `file-${files - 1}.part`);
  const poll = setInterval(() => {
    if ((statSync(part, { throwIfNoEntry: false })?.size ?? 0) < bytes) return;
    clearInterval(poll);
    response.destroy();
  }, 5);
  response.on('close', () => clearInterval(poll));
}

it('downloads a file, tells its checksum and how far it is', async () => {
  handle = serve();
  const path = newPath();
  const seen: [number, number | undefined][] = [];
  const found = await download(url, path, {
    sha256: digest.toUpperCase(),
    onProgress: (...at) => seen.push(at),
  });
  expect(found).toBe(digest);
  expect(readFileSync(path).equals(body)).toBe(true);
  expect(seen.at(-1)).toEqual([body.length, body.length]);
  expect(existsSync(`${path}.part`) || existsSync(`${path}.part.version`)).toBe(false);
});

it('goes on after dropped connections', async () => {
  handle = serve(100_000);
  const path = newPath();
  expect(await download(url, path, { pause: 1 })).toBe(digest);
  expect(requests.map(({ headers }) => headers.range)).toEqual([undefined, 'bytes=100000-', 'bytes=200000-']);
});

it('gives up in the end, and the next call goes on from there', async () => {
  let dropped = 0;
  handle = (request, response) => {
    if (dropped++ === 0) serve(50_000)(request, response);
    else response.destroy();
  };
  const path = newPath();
  await expect(download(url, path, { pause: 1 })).rejects.toThrow(
    /cannot be downloaded.*50000 bytes are kept/s,
  );
  expect(existsSync(path)).toBe(false);
  requests = [];
  handle = serve();
  expect(await download(url, path)).toBe(digest);
  expect(requests[0].headers.range).toBe('bytes=50000-');
});

it('starts anew when the file has changed in between, or has no version', async () => {
  for (const versions of [
    ['"v1"', '"v2"'],
    ['W/"weak"', 'W/"weak"'],
  ]) {
    let request = 0;
    handle = (...args) =>
      serve(request++ === 0 ? 1000 : undefined, versions[Math.min(request - 1, 1)])(...args);
    const path = newPath();
    expect(await download(url, path, { pause: 1 })).toBe(digest);
    expect(readFileSync(path).equals(body)).toBe(true);
    expect(request).toBe(2);
  }
});

it('starts anew when the server refuses the range', async () => {
  let request = 0;
  handle = (...args) => {
    request++;
    if (request === 1) serve(1000)(...args);
    else if (request === 2) args[1].writeHead(416).end();
    else serve()(...args);
  };
  expect(await download(url, newPath(), { pause: 1 })).toBe(digest);
  expect(requests[2].headers.range).toBeUndefined();
});

it('treats silence as a dropped connection', async () => {
  let request = 0;
  handle = (...args) => {
    if (request++ > 0) serve()(...args);
  };
  expect(await download(url, newPath(), { pause: 1, patience: 100 })).toBe(digest);
  handle = () => {};
  await expect(download(url, newPath(), { pause: 1, patience: 20 })).rejects.toThrow(
    /nothing came for 0.02 seconds/,
  );
});

it('says what is wrong in one message', async () => {
  handle = (_, response) => response.writeHead(404).end();
  await expect(download(url, newPath())).rejects.toThrow(/the server answered 404 Not Found/);
  expect(requests).toHaveLength(1);
  handle = (_, response) => response.writeHead(503).end();
  await expect(download(url, newPath(), { pause: 1 })).rejects.toThrow(/503/);
  handle = serve();
  const path = newPath();
  await expect(download(url, path, { sha256: '0'.repeat(64) })).rejects.toThrow(`has the SHA-256 ${digest}`);
  expect(existsSync(path) || existsSync(`${path}.part`)).toBe(false);
  // A port that fetch refuses, and one where nobody listens any more.
  await expect(download('http://127.0.0.1:1/x', newPath())).rejects.toThrow(/bad port/);
  const gone = createServer();
  await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
  const { port } = gone.address() as AddressInfo;
  await new Promise((resolve) => gone.close(resolve));
  await expect(download(`http://127.0.0.1:${port}/x`, newPath())).rejects.toThrow(UserError);
  await expect(download(url, join(folder, 'none', 'x'))).rejects.toThrow(/no such file or folder/);
});

it('takes a file whole that the server compresses in spite of all', async () => {
  const packed = gzipSync(body);
  handle = (_, response) =>
    response
      .writeHead(200, { etag: '"v1"', 'content-encoding': 'gzip', 'content-length': packed.length })
      .end(packed);
  const seen: [number, number | undefined][] = [];
  expect(await download(url, newPath(), { onProgress: (...at) => seen.push(at) })).toBe(digest);
  expect(seen.at(-1)).toEqual([body.length, undefined]);
  expect(requests).toHaveLength(1);
});

it('stops at once when it is told to while it waits for another attempt', async () => {
  const controller = new AbortController();
  handle = (_, response) => {
    response.writeHead(503).end();
    setTimeout(() => controller.abort(), 50);
  };
  const start = performance.now();
  const work = download(url, newPath(), { signal: controller.signal, pause: 60_000 });
  expect(await work.catch((cause) => cause)).toBe(controller.signal.reason);
  expect(performance.now() - start).toBeLessThan(4000);
});

it('stops when it is told to', async () => {
  const controller = new AbortController();
  handle = (_, response) => {
    response.writeHead(200, { etag: '"v1"' });
    response.write(body.subarray(0, 1000));
    setTimeout(() => controller.abort(), 50);
  };
  const error = await download(url, newPath(), { signal: controller.signal }).catch((cause) => cause);
  expect(error).toBe(controller.signal.reason);
});
