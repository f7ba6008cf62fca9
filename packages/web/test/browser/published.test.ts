/** Fetching a published checkpoint in a real browser, from a server that does what servers do. */
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFailed } from 'vitest';
import { reasonToSkip } from '../../../../test/browser/chromium.ts';
import { Site } from '../site.ts';

const skip = reasonToSkip();
const fixture = (name: string) =>
  readFileSync(fileURLToPath(new URL(`../../../../test/fixtures/trained-6x6/${name}`, import.meta.url)));
/** In the place of 109 MB: a checkpoint of the published code, and its configuration. */
const CHECKPOINT = fixture('checkpoint');
const CONFIG = fixture('all_config.yaml');
const PUZZLE = '..3.51.1.3...4....6..1.426..1.1..4..';
const HASH = `#/solve?model=sudoku-extreme&puzzle=${PUZZLE}`;
const CORS = { 'access-control-allow-origin': '*', 'access-control-expose-headers': 'ETag, Content-Range' };

describe.skipIf(skip)('a published checkpoint', () => {
  let home: Server;
  let site: Site;
  /** How the server answers when it is asked for the weights. */
  let weights: { bytes: Buffer; cutAfter?: number; hold?: boolean; status?: number };
  let asked: { path: string; range?: string }[] = [];

  beforeAll(async () => {
    home = createServer((request, response) => {
      const { url: path = '' } = request;
      asked.push({ path, range: request.headers.range });
      if (path.endsWith('/all_config.yaml')) return response.writeHead(200, CORS).end(CONFIG);
      if (path.endsWith('/resolve/main/checkpoint'))
        return response.writeHead(302, { ...CORS, location: '/store/checkpoint' }).end();
      if (weights.status) return response.writeHead(weights.status, CORS).end();
      const from = Number(request.headers.range?.match(/\d+/)?.[0] ?? 0);
      const rest = weights.bytes.subarray(from);
      const range = { 'content-range': `bytes ${from}-${weights.bytes.length - 1}/${weights.bytes.length}` };
      const headers = { ...CORS, etag: '"1"', 'content-length': rest.length, ...(from > 0 && range) };
      response.writeHead(from > 0 ? 206 : 200, headers);
      if (weights.cutAfter === undefined) return response.end(rest);
      // A browser drops what it has not handed on when a connection ends, which may be all of what comes at once.
      return response.write(rest.subarray(0, weights.cutAfter), () => {
        if (!weights.hold) setTimeout(() => response.destroy(), 500);
      });
    });
    await new Promise<void>((resolve) => home.listen(0, '127.0.0.1', resolve));
    site = await Site.open(`http://localhost:${(home.address() as AddressInfo).port}`);
  });
  afterAll(async () => {
    await site?.close();
    home?.closeAllConnections();
    home?.close();
  });
  beforeEach(() => {
    weights = { bytes: CHECKPOINT };
    asked = [];
    onTestFailed(() => console.error('the server was asked for', asked));
  });

  const fetchButton = (page: Page) => page.getByRole('button', { name: 'Fetch the checkpoint' });
  const weightsAsked = () => asked.filter(({ path }) => path === '/store/checkpoint');

  it('is fetched once, thinks, is there after a reload, and goes when it is told to', async () => {
    const { page, failures } = await site.page(HASH);
    await fetchButton(page).click();
    await page.getByText('hidden size 128').waitFor();
    await page.getByText(/Solved, and proven|Not solved/).waitFor();
    await page.reload();
    await page.getByText(/Solved, and proven|Not solved/).waitFor();
    expect(weightsAsked()).toHaveLength(1);
    await page.getByRole('button', { name: 'Remove it from this browser' }).click();
    await fetchButton(page).waitFor();
    await page.reload();
    await fetchButton(page).waitFor();
    expect(failures).toEqual([]);
    await page.context().close();
  });

  it('goes on where it was stopped, also in another visit', async () => {
    weights = { bytes: CHECKPOINT, cutAfter: 1_000_000, hold: true };
    const { page } = await site.page(HASH);
    await fetchButton(page).click();
    await page.getByText(/1\.0 MB of/).waitFor();
    await page.getByRole('button', { name: 'Stop' }).first().click();
    await page.getByText(/Go on \(1\.0 MB are here\)/).waitFor();
    weights = { bytes: CHECKPOINT };
    await page.reload();
    await page.getByRole('button', { name: /Go on \(1\.0 MB are here\)/ }).click();
    await page.getByText('hidden size 128').waitFor();
    expect(weightsAsked().map(({ range }) => range)).toEqual([undefined, 'bytes=1000000-']);
    await page.context().close();
  });

  it('is kept as far as it came where the connection is cut again and again', async () => {
    weights = { bytes: CHECKPOINT, cutAfter: 1_500_000 };
    const { page } = await site.page(HASH);
    await fetchButton(page).click();
    await page.getByText('hidden size 128').waitFor(); // each try gets on, so that it comes to its end
    expect(weightsAsked().length).toBeGreaterThan(2);
    await page.context().close();
  });

  it('thinks from memory where the browser has no room to keep it, and says so', async () => {
    weights = { bytes: CHECKPOINT };
    const { page, failures } = await site.page(HASH, {
      before: `Cache.prototype.put = async () => { throw new DOMException('full', 'QuotaExceededError'); }`,
    });
    await fetchButton(page).click();
    await page.getByText('This browser has no room to keep it').waitFor();
    await page.getByText(/Solved, and proven|Not solved/).waitFor();
    await page.reload();
    await fetchButton(page).waitFor();
    expect(failures).toEqual([]);
    await page.context().close();
  });

  it('says what the server answers', async () => {
    weights = { bytes: CHECKPOINT, status: 404 };
    const { page } = await site.page(HASH);
    await fetchButton(page).click();
    expect(await page.getByRole('alert').innerText()).toMatch(
      /^The download has stopped: localhost:\d+ answers 404 Not Found\.$/,
    );
    await page.getByRole('button', { name: 'Try again' }).waitFor();
    await page.context().close();
  });

  it('is not kept where it holds other bytes', async () => {
    weights = { bytes: Buffer.alloc(100_000, 'not a checkpoint ') };
    const { page } = await site.page(HASH);
    await fetchButton(page).click();
    await page.locator('.models .trouble').waitFor();
    expect(await page.locator('.models .trouble').innerText()).toMatch(/sudoku-extreme/);
    await page.reload();
    await fetchButton(page).waitFor();
    await page.context().close();
  });
});
