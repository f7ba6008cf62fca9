/** A benchmark in the page, and what becomes of its result. */
import { readFileSync } from 'node:fs';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reasonToSkip } from '../../../../test/browser/chromium.ts';
import { compareDocuments } from '../../../bench/src/report/compare.ts';
import { parseDocument } from '../../../bench/src/report/document.node.ts';
import { Site } from '../site.ts';

const skip = reasonToSkip();
const MINUTES = 5 * 60_000;

describe.skipIf(skip)('the page that measures', () => {
  let site: Site;
  beforeAll(async () => {
    site = await Site.open();
  });
  afterAll(() => site?.close());

  it('checks and times, gives what bench compare reads, and a link to the result', {
    timeout: 2 * MINUTES,
  }, async () => {
    const { page, failures } = await site.page('#/bench', {
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    await page.getByRole('button', { name: 'matmul', exact: true }).click();
    await page.getByText('matmul is done').waitFor({ timeout: MINUTES });
    const [saved] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save JSON' }).click(),
    ]);
    const document = parseDocument(readFileSync(await saved.path(), 'utf8'), 'bench-matmul.json');
    expect(document.results.get('matmul')?.samplesMs.length).toBeGreaterThan(2);
    expect(document.environment.get('browser')).toMatch(/Chrome/);
    expect(compareDocuments(document, document).changes.map(({ name }) => name)).toContain('matmul');
    await page.getByRole('button', { name: 'Copy link to this result' }).click();
    await page.getByText('link copied').waitFor();
    const link = await page.evaluate(() => navigator.clipboard.readText());
    const shown = await page.context().newPage();
    await shown.goto(link);
    await shown.getByText('From a link, measured elsewhere').waitFor();
    expect(await shown.getByRole('table').innerText()).toBe(await page.getByRole('table').innerText());
    expect(failures).toEqual([]);
    await page.context().close();
  });

  it('stops when it is told to, and begins anew', async () => {
    const { page } = await site.page('#/bench');
    await page.getByRole('button', { name: 'kernels', exact: true }).click();
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByText('stopped').waitFor();
    await page.getByRole('button', { name: 'attention', exact: true }).click();
    await page.getByText(/checking|recording|verifying|rounds/).waitFor();
    await page.context().close();
  });

  it('says that a link holds nothing', async () => {
    const { page } = await site.page('#/bench?result=broken');
    await page.getByText('the link holds no result').waitFor();
    await page.context().close();
  });
});
