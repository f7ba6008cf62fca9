/** Large files arrive whole, or what is there is kept and the rest fetched later; servers may do what they like. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { download, type PartStore } from '../src/models/download.ts';

/** Larger than a part, and not a multiple of one. */
const FILE = Buffer.alloc(2 ** 23 + 1_000_003).map((_, i) => (i * 31 + (i >> 8)) & 255);

class Kept implements PartStore {
  parts: Blob[] = [];
  version: string | undefined;
  whole = false;
  async read() {
    return { parts: [...this.parts], version: this.version, complete: this.whole };
  }
  async begin(version: string) {
    this.version = version;
  }
  async add(part: Blob) {
    this.parts.push(part);
  }
  async complete() {
    this.whole = true;
  }
  async clear() {
    this.parts = [];
    this.version = undefined;
    this.whole = false;
  }
  get bytes() {
    return this.parts.reduce((sum, { size }) => sum + size, 0);
  }
}

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

type Answer = (request: IncomingMessage, response: ServerResponse, count: number) => void;

async function serve(answer: Answer): Promise<{ url: string; ranges: (string | undefined)[] }> {
  const ranges: (string | undefined)[] = [];
  const own = createServer((request, response) => {
    ranges.push(request.headers.range);
    answer(request, response, ranges.length);
  });
  server = own;
  await new Promise<void>((resolve) => own.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(own.address() as AddressInfo).port}/checkpoint`, ranges };
}

/** As a static server does: the file from the byte that is asked for. */
const wholly: Answer = (request, response) => {
  const from = Number(request.headers.range?.match(/\d+/)?.[0] ?? 0);
  if (from >= FILE.length) {
    response.writeHead(416, { 'content-range': `bytes */${FILE.length}` }).end();
    return;
  }
  const headers = { etag: '"a"', 'content-length': FILE.length - from };
  const range = { 'content-range': `bytes ${from}-${FILE.length - 1}/${FILE.length}` };
  response.writeHead(from > 0 ? 206 : 200, from > 0 ? { ...headers, ...range } : headers);
  response.end(FILE.subarray(from));
};

/** The beginning of the file, then the connection is cut. */
const cutAfter =
  (bytes: number): Answer =>
  (_, response) => {
    response.writeHead(200, { etag: '"a"', 'content-length': FILE.length });
    response.write(FILE.subarray(0, bytes), () => response.destroy());
  };

const quick = { pausesMs: [1, 1, 1], stallMs: 5000 };
const bytesOf = async (blob: Blob) => Buffer.from(await blob.arrayBuffer());

describe('download', () => {
  it('gives the file, and tells how far it is', async () => {
    const { url } = await serve(wholly);
    const told: [number, number | undefined][] = [];
    const store = new Kept();
    const file = await download(url, { store, ...quick, onProgress: (...now) => told.push(now) });
    expect((await bytesOf(file)).equals(FILE)).toBe(true);
    expect(told.at(-1)).toEqual([FILE.length, FILE.length]);
    expect(store.whole).toBe(true);
  });

  it('what is kept is not fetched again', async () => {
    const { url, ranges } = await serve(wholly);
    const store = new Kept();
    await download(url, { store, ...quick });
    const again = await download(url, { store, ...quick });
    expect((await bytesOf(again)).equals(FILE)).toBe(true);
    expect(ranges).toEqual([undefined]);
  });

  it('follows a redirection', async () => {
    const { url } = await serve((request, response, count) =>
      request.url === '/checkpoint'
        ? response.writeHead(302, { location: '/elsewhere' }).end()
        : wholly(request, response, count),
    );
    expect((await download(url, { store: new Kept(), ...quick })).size).toBe(FILE.length);
  });

  it('goes on after a connection that is cut', async () => {
    const { url, ranges } = await serve((request, response, count) =>
      count === 1 ? cutAfter(8_500_000)(request, response, count) : wholly(request, response, count),
    );
    const file = await download(url, { store: new Kept(), ...quick });
    expect((await bytesOf(file)).equals(FILE)).toBe(true);
    expect(ranges[1]).toMatch(/^bytes=\d{5,}-$/);
  });

  it('begins anew where the server knows no ranges', async () => {
    const { url } = await serve((request, response, count) => {
      if (count === 1) return cutAfter(8_500_000)(request, response, count);
      response.writeHead(200, { 'content-length': FILE.length }).end(FILE);
    });
    expect((await bytesOf(await download(url, { store: new Kept(), ...quick }))).equals(FILE)).toBe(true);
  });

  it('begins anew where the file has changed', async () => {
    const { url } = await serve((request, response, count) => {
      if (count === 1) return cutAfter(8_500_000)(request, response, count);
      if (!request.headers.range) return wholly(request, response, count);
      const from = Number(request.headers.range.match(/\d+/)?.[0]);
      const range = `bytes ${from}-${FILE.length - 1}/${FILE.length}`;
      response.writeHead(206, { etag: '"b"', 'content-range': range }).end(Buffer.alloc(FILE.length - from));
    });
    expect((await bytesOf(await download(url, { store: new Kept(), ...quick }))).equals(FILE)).toBe(true);
  });

  it('gives up a connection on which nothing arrives, and says so', async () => {
    const { url } = await serve((_, response) => {
      response.writeHead(200, { 'content-length': FILE.length });
      response.write(FILE.subarray(0, 1000));
    });
    const options = { store: new Kept(), pausesMs: [1], stallMs: 100 };
    await expect(download(url, options)).rejects.toThrow('nothing has arrived for 0 seconds');
  });

  it('says that a file is shorter than announced', async () => {
    const { url } = await serve((_, response) => {
      response.writeHead(200, { 'transfer-encoding': 'chunked', etag: '"a"' });
      response.end(FILE.subarray(0, 1000));
    });
    // Without a length nothing tells; with one the connection is at fault.
    expect((await download(url, { store: new Kept(), ...quick })).size).toBe(1000);
    server?.close();
    const lying = await serve(cutAfter(1000));
    await expect(download(lying.url, { store: new Kept(), pausesMs: [1] })).rejects.toThrow();
  });

  it('refuses more than was announced, and keeps nothing of it', async () => {
    const store = new Kept();
    const tooMuch = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new Uint8Array(2000));
        controller.close();
      },
    });
    const get = async () => new Response(tooMuch, { headers: { 'content-length': '1000' } });
    const options = { store, ...quick, fetch: get as typeof fetch };
    await expect(download('https://a.example/x', options)).rejects.toThrow(
      'more than the 1.0 kB that it announced',
    );
    expect(store.bytes).toBe(0);
  });

  it.each([
    [404, '127.0.0.1:\\d+ answers 404 Not Found'],
    [403, 'answers 403 Forbidden'],
  ])('says that the server answers %i, at once', async (status, expected) => {
    const { url, ranges } = await serve((_, response) => response.writeHead(status).end());
    await expect(download(url, { store: new Kept(), ...quick })).rejects.toThrow(new RegExp(expected));
    expect(ranges).toHaveLength(1);
  });

  it('tries again where the server is busy', async () => {
    const { url } = await serve((request, response, count) =>
      count < 3 ? response.writeHead(503).end() : wholly(request, response, count),
    );
    expect((await download(url, { store: new Kept(), ...quick })).size).toBe(FILE.length);
  });

  it('says that nobody is there', async () => {
    const options = { store: new Kept(), pausesMs: [] };
    await expect(download('http://127.0.0.1:9/x', options)).rejects.toThrow('127.0.0.1:9 cannot be reached');
  });

  it('stops when it is told to, keeps what is there, and goes on from it', async () => {
    const store = new Kept();
    const stop = new AbortController();
    const { url, ranges } = await serve((request, response, count) => {
      if (count > 1) return wholly(request, response, count);
      response.writeHead(200, { etag: '"a"', 'content-length': FILE.length });
      response.write(FILE.subarray(0, 8_500_000));
    });
    const onProgress = (bytes: number) => bytes >= 8_500_000 && stop.abort(new Error('stopped'));
    const stopped = download(url, { store, ...quick, signal: stop.signal, onProgress });
    await expect(stopped).rejects.toThrow('stopped');
    expect(store.bytes).toBe(8_500_000);
    const file = await download(url, { store, ...quick });
    expect((await bytesOf(file)).equals(FILE)).toBe(true);
    expect(ranges[1]).toBe('bytes=8500000-');
  });

  it('is content with a file that was there but not noted as whole', async () => {
    const store = new Kept();
    const { url } = await serve(wholly);
    await store.begin('"a"');
    await store.add(new Blob([FILE]));
    expect((await download(url, { store, ...quick })).size).toBe(FILE.length);
    expect(store.whole).toBe(true);
  });
});
