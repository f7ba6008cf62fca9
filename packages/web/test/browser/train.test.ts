/** What a person does on the page that trains, in a real browser: runs of a few steps, since the adapter is a processor. */
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reasonToSkip } from '../../../../test/browser/chromium.ts';
import { longestTask } from '../main-thread.ts';
import { Site } from '../site.ts';

const skip = reasonToSkip();

const STEPS = 12;
const RUN = `#/train?steps=${STEPS}&lr=0.004&batch=4&puzzles=40&evalEvery=5&heldOut=8`;
/** Compiling on a busy processor takes its time. */
const PATIENCE = { timeout: 120_000 };

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name });
const step = async (page: Page) =>
  Number(await page.getByRole('progressbar', { name: 'Steps made' }).getAttribute('value'));
const untilDone = (page: Page) => page.getByText(`Done. After step ${STEPS}`).waitFor(PATIENCE);

/** Slower, and so sure to be somewhere in the middle when it is looked at. */
const slowDown = (page: Page) => page.getByRole('slider', { name: /Slower or faster/ }).fill('20');
const speedUp = (page: Page) => page.getByRole('slider', { name: /Slower or faster/ }).fill('100');

async function start(page: Page): Promise<void> {
  await button(page, /^Start/).click();
  await page.getByRole('status').getByText('Training.').waitFor(PATIENCE);
}

async function pause(page: Page): Promise<number> {
  await button(page, 'Pause').click();
  await page.getByText('Paused at step').waitFor(PATIENCE);
  return step(page);
}

/** A checkpoint's tensors, to the bit, and what it says. */
interface Checkpoint {
  tensors: Buffer;
  header: Record<string, unknown>;
}

async function download(page: Page): Promise<Checkpoint> {
  const arrival = page.waitForEvent('download');
  await button(page, 'Download checkpoint').click();
  const file = await readFile(await (await arrival).path());
  const end = 8 + Number(file.readBigUInt64LE(0));
  const { __metadata__, ...header } = JSON.parse(file.subarray(8, end).toString());
  for (const [key, text] of Object.entries(__metadata__ as Record<string, string>))
    header[key] = /^[{["]/.test(text) ? JSON.parse(text) : text;
  // Of the text of the header: the order of its keys is another after they have been read from a file.
  delete header.checksum_header;
  return { tensors: file.subarray(end), header };
}

function expectEqual(made: Checkpoint, expected: Checkpoint): void {
  expect(made.header).toEqual(expected.header);
  expect(Buffer.compare(made.tensors, expected.tensors)).toBe(0);
}

describe.skipIf(skip)('the page that trains', () => {
  let site: Site;
  /** Of a run that nothing came between. */
  let uninterrupted: Checkpoint;
  beforeAll(async () => {
    site = await Site.open();
  });
  afterAll(() => site?.close());

  it('learns, tells how, blocks nothing meanwhile, and hands what it has learned to Solve', async () => {
    const { page, failures } = await site.page(RUN);
    const longest = await longestTask(page, async () => {
      await start(page);
      await untilDone(page);
    });
    expect(longest).toBeLessThan(50);
    // What would be seen: a task that is too long.
    expect(await longestTask(page, () => page.evaluate(compute, 2e8))).toBeGreaterThan(50);
    const said = await page.getByRole('img', { name: /^The loss went/ }).getAttribute('aria-label');
    const [first, last] = [...(said ?? '').matchAll(/\d+\.\d+/g)].map(Number);
    expect(last).toBeLessThan(0.9 * first);
    const examined = await page.getByRole('img', { name: /held-out puzzles/ }).getAttribute('aria-label');
    expect(examined).toMatch(/^Of 8 held-out puzzles \d+ % are solved after step 12/);
    expect(await page.getByRole('grid', { name: /^Puzzle \d/ }).count()).toBe(4);
    uninterrupted = await download(page);
    await button(page, 'Use it in Solve').click();
    await page.getByText(`sudoku-4x4-step-${STEPS}.safetensors`).waitFor();
    await page.getByRole('grid', { name: 'The answer so far' }).waitFor(PATIENCE);
    expect(failures).toEqual([]);
  });

  it('goes on to the same bits after a pause, another view and a reload', async () => {
    const { page, failures } = await site.page(RUN);
    await start(page);
    await slowDown(page);
    await expect.poll(() => step(page), PATIENCE).toBeGreaterThan(2);
    const before = await pause(page);
    await button(page, `Go on from step ${before}`).click();
    await page.getByRole('link', { name: 'Solve' }).click();
    await page.getByRole('link', { name: /Train · \d+ %/ }).click();
    await expect.poll(() => step(page), PATIENCE).toBeGreaterThan(before);
    const at = await pause(page);
    expect(at).toBeLessThan(STEPS);
    await page.reload();
    await page.getByText(`A run is saved here, at step ${at} of ${STEPS}.`).waitFor(PATIENCE);
    await button(page, `Go on from step ${at}`).click();
    await untilDone(page);
    expectEqual(await download(page), uninterrupted);
    expect(failures).toEqual([]);
  });

  it('is one tab’s at a time, rests with a hidden tab if it should, and is no longer gone on with when it is damaged', async () => {
    const { page, failures } = await site.page(RUN);
    await start(page);
    await slowDown(page);
    const second = await page.context().newPage();
    await second.goto(site.url + RUN);
    await second.getByText('The run belongs to another tab of this browser.').waitFor(PATIENCE);
    expect(await button(second, 'Start training').isDisabled()).toBe(true);

    await page.getByLabel('Go on while this tab is hidden').uncheck();
    await pretendHidden(page, true);
    await page.getByText('Paused at step').waitFor(PATIENCE);
    const at = await step(page);
    await pretendHidden(page, false);
    await page.getByRole('status').getByText('Training.').waitFor(PATIENCE);
    expect(await pause(page)).toBeGreaterThanOrEqual(at);

    await page.close();
    await second.getByText(/A run is saved here, at step \d+ of 12/).waitFor(PATIENCE);
    await damage(second);
    await second.reload();
    await second.getByText('The run that was saved here is damaged').waitFor(PATIENCE);
    await start(second);
    expect(failures).toEqual([]);
    await second.close();
  });

  it('refuses what cannot be, in a sentence beside it', async () => {
    const { page, failures } = await site.page(`${RUN}&seed=-1`);
    const rate = page.getByLabel('How large each correction is');
    await rate.fill('a lot');
    await button(page, 'Start training').and(page.locator(':enabled')).click(PATIENCE);
    const sentence = 'How large each correction is: “a lot” is no number; give one from 0.000001 to 0.1.';
    expect(await page.getByText(sentence).isVisible()).toBe(true);
    expect(await rate.evaluate((element) => element === document.activeElement)).toBe(true);
    expect(await rate.getAttribute('aria-invalid')).toBe('true');
    await rate.fill('0.004');
    // What is folded away is shown where it stands in the way.
    await button(page, 'Start training').click();
    expect(await page.getByText('Which dice are rolled: -1 is too small').isVisible()).toBe(true);
    expect(await page.getByText('Nothing has been trained here yet.').isVisible()).toBe(true);
    expect(failures).toEqual([]);
  });

  it('survives the loss of the GPU, to the same bits', async () => {
    const { page } = await site.page(RUN);
    await start(page);
    await slowDown(page);
    await expect.poll(() => step(page), PATIENCE).toBeGreaterThan(1);
    expect(await step(page)).toBeLessThan(STEPS);
    const devtools = await site.browser.newBrowserCDPSession();
    await devtools.send('Browser.crashGpuProcess' as never);
    await page.getByText('The GPU was lost once and opened again').waitFor(PATIENCE);
    await speedUp(page);
    await untilDone(page);
    expectEqual(await download(page), uninterrupted);
  });
});

/** Keeps the main thread busy. */
function compute(times: number): number {
  let sum = 0;
  for (let i = 0; i < times; i++) sum += Math.sqrt(i);
  return sum;
}

/** As if another tab were looked at: headless pages are always visible. */
function pretendHidden(page: Page, hidden: boolean): Promise<void> {
  return page.evaluate((now) => {
    Object.defineProperty(document, 'hidden', { get: () => now, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);
}

/** Turns one bit of the saved run, amid its tensors. */
function damage(page: Page): Promise<void> {
  return page.evaluate(async () => {
    const folder = await navigator.storage.getDirectory();
    const handle = await folder.getFileHandle('hrm-webgpu-train.run');
    const file = await handle.getFile();
    const position = Math.floor(file.size / 2);
    const [byte] = new Uint8Array(await file.slice(position, position + 1).arrayBuffer());
    const writable = await handle.createWritable({ keepExistingData: true });
    await writable.write({ type: 'write', position, data: Uint8Array.of(byte ^ 1) });
    await writable.close();
  });
}
