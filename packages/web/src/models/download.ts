/** Fetches large files in parts that are kept, so that what was fetched once need not be fetched again. */
import { byteSize } from '../wording/sizes.ts';

/** Where the parts of a file are kept. */
export interface PartStore {
  /** The parts that are there, in order, and what the server said of the file that they are of. */
  read(): Promise<{ parts: Blob[]; version?: string; complete: boolean }>;
  add(part: Blob): Promise<void>;
  /** What the server says of the file, before its first part. */
  begin(version: string): Promise<void>;
  complete(): Promise<void>;
  clear(): Promise<void>;
}

export interface DownloadOptions {
  store: PartStore;
  signal?: AbortSignal;
  /** @param total undefined where the server does not tell */
  onProgress?: (bytes: number, total: number | undefined) => void;
  fetch?: typeof fetch;
  /** After how long without a byte a connection is given up. */
  stallMs?: number;
  /** Before the tries after the first. */
  pausesMs?: readonly number[];
}

const PART_BYTES = 2 ** 23;
const STALL_MS = 20_000;
const PAUSES_MS = [500, 2000, 5000];

/** Something that another try would meet again. */
class Refusal extends Error {}

/**
 * The whole file, from what is kept and the network.
 *
 * @throws Error in a sentence; the signal's reason when it is stopped. What was fetched by then is kept.
 */
export async function download(url: string, options: DownloadOptions): Promise<Blob> {
  const { store, signal, pausesMs = PAUSES_MS } = options;
  for (let failures = 0; ; failures++) {
    const before = (await store.read()).parts.length;
    try {
      return await attempt(url, options);
    } catch (error) {
      signal?.throwIfAborted();
      if ((await store.read()).parts.length > before) failures = 0; // it got on
      if (error instanceof Refusal || failures >= pausesMs.length) throw error;
      await pause(pausesMs[failures], signal);
    }
  }
}

async function attempt(url: string, options: DownloadOptions): Promise<Blob> {
  const { store, onProgress, signal } = options;
  const kept = await store.read();
  if (kept.complete) return new Blob(kept.parts);
  const offset = sizeOf(kept.parts);
  const watch = new Watch(options.stallMs ?? STALL_MS, signal);
  try {
    const response = await request(url, offset, options.fetch ?? fetch, watch.signal);
    if (response.status === 416) {
      await store.complete(); // all of it was there, but not noted
      return new Blob(kept.parts);
    }
    const { begins, total, version } = described(response, offset);
    if (begins > 0 && kept.version !== undefined && version !== '' && kept.version !== version) {
      await store.clear();
      throw new Error('the file has changed on the server since the download began');
    }
    if (begins === 0) {
      await store.clear();
      await store.begin(version);
    }
    let bytes = begins;
    const fetched = await eachPart(
      response,
      watch,
      (length) => {
        bytes += length;
        if (total !== undefined && bytes > total) throw new Refusal(tooLong(total));
        onProgress?.(bytes, total);
      },
      (part) => store.add(part),
    );
    if (total !== undefined && begins + fetched < total)
      throw new Error(`the connection ended after ${byteSize(begins + fetched)} of ${byteSize(total)}`);
    await store.complete();
    return new Blob((await store.read()).parts);
  } catch (error) {
    if (error instanceof Refusal) await store.clear();
    throw watch.explain(error);
  } finally {
    watch.end();
  }
}

async function request(
  url: string,
  offset: number,
  get: typeof fetch,
  signal: AbortSignal,
): Promise<Response> {
  // `Range` alone needs no permission of the server's; `If-Range` would.
  const headers: Record<string, string> = offset > 0 ? { Range: `bytes=${offset}-` } : {};
  let response: Response;
  try {
    // The parts are kept by the store; the browser's own cache has no use for them.
    response = await get(url, { signal, headers, cache: 'no-store' });
  } catch (error) {
    signal.throwIfAborted();
    throw new Error(`${new URL(url).host} cannot be reached (${(error as Error).message})`);
  }
  if (response.ok && response.body) return response;
  if (response.status === 416 && response.headers.get('content-range') === `bytes */${offset}`)
    return response;
  const message = `${new URL(url).host} answers ${response.status} ${response.statusText}`.trim();
  throw response.status >= 500 || response.status === 429 ? new Error(message) : new Refusal(message);
}

/** What an answer is: where it begins in the file, how long that is, and what tells the file from another. */
function described(response: Response, offset: number) {
  const version = response.headers.get('etag') ?? '';
  if (response.status !== 206) {
    // Of a compressed answer the length is not the file's.
    const plain = !response.headers.get('content-encoding');
    const length = Number(response.headers.get('content-length') ?? Number.NaN);
    return { begins: 0, total: plain && length >= 0 ? length : undefined, version };
  }
  const [, from, size] = response.headers.get('content-range')?.match(/^bytes (\d+)-\d+\/(\d+)$/) ?? [];
  if (from !== undefined && Number(from) !== offset)
    throw new Refusal(`the server sent the file from byte ${from} on, and was asked for byte ${offset}`);
  return { begins: offset, total: size === undefined ? undefined : Number(size), version };
}

/** Hands on what arrives in parts, the last one shorter; also that which came before an error. Returns the bytes. */
async function eachPart(
  response: Response,
  watch: Watch,
  onBytes: (length: number) => void,
  onPart: (part: Blob) => Promise<void>,
): Promise<number> {
  const reader = (response.body as ReadableStream<Uint8Array<ArrayBuffer>>).getReader();
  let pieces: Uint8Array<ArrayBuffer>[] = [];
  let waiting = 0;
  let bytes = 0;
  const flush = async () => {
    if (waiting === 0) return;
    const part = new Blob(pieces);
    pieces = [];
    waiting = 0;
    await onPart(part);
    bytes += part.size;
  };
  try {
    while (true) {
      const { value, done } = await reader.read();
      watch.alive();
      if (done) break;
      onBytes(value.length);
      pieces.push(value);
      waiting += value.length;
      if (waiting >= PART_BYTES) await flush();
    }
  } catch (error) {
    if (!(error instanceof Refusal)) await flush();
    throw error;
  } finally {
    await reader.cancel().catch(() => {});
  }
  await flush();
  return bytes;
}

/** Ends a request that the caller stops, or of which nothing is heard any more. */
class Watch {
  private readonly stalled = new AbortController();
  private timer: ReturnType<typeof setTimeout> | undefined;
  readonly signal: AbortSignal;

  constructor(
    private readonly stallMs: number,
    signal: AbortSignal | undefined,
  ) {
    this.signal = signal ? AbortSignal.any([signal, this.stalled.signal]) : this.stalled.signal;
    this.alive();
  }

  alive(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.stalled.abort(), this.stallMs);
  }

  explain(error: unknown): unknown {
    if (!this.stalled.signal.aborted) return error;
    return new Error(`nothing has arrived for ${Math.round(this.stallMs / 1000)} seconds`);
  }

  end(): void {
    clearTimeout(this.timer);
  }
}

const sizeOf = (parts: readonly Blob[]) => parts.reduce((sum, { size }) => sum + size, 0);
const tooLong = (total: number) => `the server sent more than the ${byteSize(total)} that it announced`;

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
