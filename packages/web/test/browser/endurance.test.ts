/** What goes on for long leaves nothing behind. */
import type { Browser, CDPSession, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reasonToSkip } from '../../../../test/browser/chromium.ts';
import { Site } from '../site.ts';

const skip = reasonToSkip();
const CYCLES = 200;
/** What the browser's own bookkeeping may add: a leak of a thought or a model is many times that. */
const SLACK_BYTES = 3e6;
const SOLVED = 'Solved, and proven by the rules';

/** Bytes of buffers that the page's workers hold on the GPU: counted where they are made and destroyed. */
const COUNTING = `
self.gpuBytes = 0;
const make = GPUDevice.prototype.createBuffer;
const destroy = GPUBuffer.prototype.destroy;
const alive = new WeakSet();
GPUDevice.prototype.createBuffer = function (descriptor) {
  const buffer = make.call(this, descriptor);
  alive.add(buffer);
  self.gpuBytes += buffer.size;
  return buffer;
};
GPUBuffer.prototype.destroy = function () {
  if (alive.delete(this)) self.gpuBytes -= this.size;
  return destroy.call(this);
};
`;

/** The heaps of the page's workers together, after a collection. */
async function workerHeaps(browser: Browser): Promise<number> {
  const client = await browser.newBrowserCDPSession();
  const { targetInfos } = await client.send('Target.getTargets', { filter: [{ type: 'worker' }] });
  let bytes = 0;
  for (const { targetId } of targetInfos) bytes += await heapOf(client, targetId);
  await client.detach();
  return bytes;
}

/** The heap of one of them: its debugger is spoken to through the browser's. */
async function heapOf(client: CDPSession, targetId: string): Promise<number> {
  const { sessionId } = await client.send('Target.attachToTarget', { targetId, flatten: false });
  let id = 0;
  const ask = (method: string) =>
    new Promise<{ usedSize: number }>((resolve) => {
      const own = ++id;
      client.on('Target.receivedMessageFromTarget', ({ sessionId: from, message }) => {
        if (from !== sessionId) return;
        const answer = JSON.parse(message);
        if (answer.id === own) resolve(answer.result);
      });
      const message = JSON.stringify({ id: own, method });
      client.send('Target.sendMessageToTarget', { sessionId, message });
    });
  await ask('HeapProfiler.collectGarbage');
  const { usedSize } = await ask('Runtime.getHeapUsage');
  return usedSize;
}

async function measured(page: Page, browser: Browser) {
  const client = await page.context().newCDPSession(page);
  await client.send('HeapProfiler.collectGarbage');
  const { usedSize: heap } = await client.send('Runtime.getHeapUsage');
  await client.detach();
  const gpu = await page.workers()[0].evaluate(() => (self as unknown as { gpuBytes: number }).gpuBytes);
  return { heap, gpu, worker: await workerHeaps(browser) };
}

describe.skipIf(skip)('the page', () => {
  let site: Site;
  beforeAll(async () => {
    site = await Site.open();
  });
  afterAll(() => site?.close());

  it(`is as it was after ${CYCLES} thoughts, every other one stopped`, { timeout: 900_000 }, async () => {
    const { page } = await site.page('#/solve?model=sudoku-4x4&puzzle=132..431.21.3142&steps=2', {
      beforeWorkers: COUNTING,
    });
    const think = page.getByRole('button', { name: 'Think', exact: true });
    // A click on what is disabled by then does nothing: the thought was quicker.
    const stop = () =>
      page.evaluate(() => {
        const buttons = [...document.querySelectorAll('button')];
        buttons.find(({ innerText }) => innerText === 'Stop')?.click();
      });
    const once = async (stopped: boolean) => {
      await think.click();
      if (stopped) await stop();
      else await page.getByText(SOLVED).waitFor();
      await expect.poll(() => think.isEnabled(), { timeout: 30_000 }).toBe(true);
    };
    await page.getByText(SOLVED).waitFor();
    for (let i = 0; i < 20; i++) await once(i % 2 === 1);
    const before = await measured(page, site.browser);
    for (let i = 0; i < CYCLES; i++) await once(i % 2 === 1);
    const after = await measured(page, site.browser);
    expect(before.gpu).toBeGreaterThan(1e6); // the model, at least
    expect(before.worker).toBeGreaterThan(1e6);
    expect(after.gpu).toBe(before.gpu);
    expect(after.heap - before.heap).toBeLessThan(SLACK_BYTES);
    expect(after.worker - before.worker).toBeLessThan(SLACK_BYTES);
    await page.context().close();
  });
});
