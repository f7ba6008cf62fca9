/** The page in a real browser, in short; `npm run web:test` tries all of it. */
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reasonToSkip } from '../../../test/browser/chromium.ts';
import { Site } from './site.ts';

const skip = reasonToSkip();
/** Gzipped, models apart, until the first answer is there. */
const MOST_BYTES = 150_000;

describe.skipIf(skip)('the page', () => {
  let site: Site;
  beforeAll(async () => {
    site = await Site.open();
  });
  afterAll(() => site?.close());

  it('shows a model think at once, under a strict policy and any path; digits typed change the puzzle', async () => {
    const { page, failures } = await site.page('#/solve?model=sudoku-4x4&puzzle=132..431.21.3142');
    await page.getByText('Solved, and proven by the rules').waitFor();
    await page.getByRole('grid', { name: 'The puzzle' }).getByRole('gridcell').first().focus();
    await page.keyboard.press('Delete');
    await expect.poll(() => page.url()).toContain('puzzle=.32..431.21.3142');
    await page.getByRole('button', { name: 'Think', exact: true }).click();
    await page.getByText('Solved, and proven by the rules').waitFor();
    expect(failures).toEqual([]);
  });

  it('fetches little before the first answer', async () => {
    const { page } = await site.page('about:blank');
    const fetched = new Set<string>();
    page.on('response', (response) => fetched.add(response.url().replace(/#.*/, '')));
    await page.goto(`${site.url}#/solve?model=sudoku-4x4&puzzle=132..431.21.3142`);
    await page.getByText('Solved, and proven by the rules').waitFor();
    const files = [...fetched].filter((url) => url.startsWith(site.url) && !url.endsWith('.safetensors'));
    const bytes = files.reduce((sum, url) => sum + gzipSync(site.fileOf(url), { level: 9 }).length, 0);
    expect(bytes).toBeGreaterThan(80_000); // the page, its worker and the engine
    expect(bytes).toBeLessThan(MOST_BYTES);
    await page.context().close();
  });
});
