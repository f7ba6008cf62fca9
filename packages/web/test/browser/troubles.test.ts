/** What goes wrong on other people's machines: the GPU is lost or has no memory left, the browser keeps no files. */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reasonToSkip } from '../../../../test/browser/chromium.ts';
import { Site } from '../site.ts';

const skip = reasonToSkip();
const SOLVED = 'Solved, and proven by the rules';
const SMALL = '#/solve?model=sudoku-4x4&puzzle=132..431.21.3142';
const LARGE = '#/solve?model=sudoku-6x6&puzzle=354...2.6..3631.2..2513.562.411.3.6.';
const PATIENT = { timeout: 120_000 };

/** Workers remember their devices, to be lost. */
const KEEP_DEVICES = `
const request = GPUAdapter.prototype.requestDevice;
self.devices = [];
GPUAdapter.prototype.requestDevice = async function (...all) {
  const device = await request.apply(this, all);
  self.devices.push(device);
  return device;
}`;

/** GPUs of 7 MB: what a device has no room for is told as browsers tell it. */
const LITTLE_MEMORY = `
const make = GPUDevice.prototype.createBuffer;
const destroy = GPUBuffer.prototype.destroy;
const held = new WeakMap();
GPUDevice.prototype.createBuffer = function (descriptor) {
  const buffer = make.call(this, descriptor);
  const add = (bytes) => held.set(this, (held.get(this) ?? 0) + bytes);
  add(buffer.size);
  buffer.destroy = () => {
    add(-buffer.size);
    destroy.call(buffer);
  };
  if (held.get(this) > 7e6) {
    const error = new GPUOutOfMemoryError('no room for ' + descriptor.size + ' bytes');
    queueMicrotask(() => this.dispatchEvent(new GPUUncapturedErrorEvent('uncapturederror', { error })));
  }
  return buffer;
}`;

const refusing = (method: string) => `${method} = async () => {
  throw new DOMException('The quota has been exceeded.', 'QuotaExceededError');
}`;

const think = (page: Page) => page.getByRole('button', { name: 'Think', exact: true }).click();

describe.skipIf(skip)('the page in trouble', () => {
  let site: Site;
  beforeAll(async () => {
    site = await Site.open();
  });
  afterAll(() => site?.close());

  it('goes on thinking after the GPU is lost', async () => {
    const { page } = await site.page(SMALL, { beforeWorkers: KEEP_DEVICES });
    await page.getByText(SOLVED).waitFor(PATIENT);
    const [worker] = page.workers();
    await worker.evaluate(() => (self as unknown as { devices: GPUDevice[] }).devices.at(-1)?.destroy());
    await think(page);
    await page.getByText('the GPU was lost once and opened again').waitFor(PATIENT);
    await page.getByText(SOLVED).waitFor(PATIENT);
    await page.context().close();
  });

  it("goes on thinking after the browser's GPU process has ended", async () => {
    const { page } = await site.page(SMALL);
    await page.getByText(SOLVED).waitFor(PATIENT);
    const devtools = await site.browser.newBrowserCDPSession();
    await devtools.send('Browser.crashGpuProcess' as never);
    await think(page);
    await page.getByText('the GPU was lost once and opened again').waitFor(PATIENT);
    await page.getByText(SOLVED).waitFor(PATIENT);
    await page.context().close();
  });

  it('says that a model does not fit into the memory of the GPU, and thinks with one that does', async () => {
    const { page, failures } = await site.page(LARGE, { beforeWorkers: LITTLE_MEMORY });
    await page
      .getByText(/^The GPU is out of memory \(no room for \d+ bytes\)\. Use a smaller/)
      .first()
      .waitFor(PATIENT);
    await page.getByText('Sudoku 4×4').click();
    await page.getByText(SOLVED).waitFor(PATIENT);
    expect(await page.getByText('out of memory').allInnerTexts()).toEqual([]);
    expect(failures).toEqual([]);
    await page.context().close();
  });

  it('says that training does not fit into the memory of the GPU', async () => {
    const { page, failures } = await site.page('#/train?steps=4&batch=32&puzzles=40&heldOut=8', {
      beforeWorkers: LITTLE_MEMORY,
    });
    await page.getByRole('button', { name: /^Start/ }).click();
    await page.getByText(/The GPU is out of memory/).waitFor(PATIENT);
    await page.getByRole('button', { name: /^Start/ }).waitFor();
    expect(failures).toEqual([]);
    await page.context().close();
  });

  it('trains where the browser lets it keep no files, and says that nothing is kept', async () => {
    const { page, failures } = await site.page('#/train?steps=4&batch=2&puzzles=40&heldOut=8&evalEvery=4', {
      beforeWorkers: refusing('FileSystemFileHandle.prototype.createWritable'),
    });
    await page.getByRole('button', { name: /^Start/ }).click();
    await page.getByText('Done. After step 4').waitFor(PATIENT);
    await page
      .getByText('This browser does not let the page keep files (The quota has been exceeded.)')
      .waitFor();
    expect(failures).toEqual([]);
    await page.context().close();
  });
});
