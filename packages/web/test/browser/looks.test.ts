/** Every view at the sizes and in the colours that people have: nothing cut off, and nothing serious for axe. */
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reasonToSkip } from '../../../../test/browser/chromium.ts';
import { Site } from '../site.ts';

const skip = reasonToSkip();
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

interface Finding {
  id: string;
  impact: string;
  nodes: { html: string; failureSummary: string }[];
}

declare global {
  interface Window {
    axe: { run(): Promise<{ violations: Finding[]; passes: Finding[] }> };
  }
}

/** What a view shows when it is ready, by its address. */
const VIEWS = {
  solve: {
    hash: '#/solve?model=sudoku-4x4&puzzle=132..431.21.3142&guesses=4&select=vote',
    ready: /was chosen/,
  },
  inspect: { hash: '#/inspect', ready: /Choose files/ },
  published: { hash: '#/solve?model=sudoku-extreme', ready: /Fetch the checkpoint/ },
};
const LOOKS = [
  { colorScheme: 'light', width: 1280 },
  { colorScheme: 'dark', width: 375 },
] as const;

describe.skipIf(skip)('the page', () => {
  let site: Site;
  beforeAll(async () => {
    site = await Site.open();
  });
  afterAll(() => site?.close());

  for (const [name, { hash, ready }] of Object.entries(VIEWS))
    it.each(LOOKS)(`${name}: $colorScheme, $width px`, async ({ colorScheme, width }) => {
      const { page, failures } = await site.page(hash, {
        ...{ colorScheme, viewport: { width, height: 800 }, reducedMotion: 'reduce' },
        bypassCSP: true, // for axe, which is put into the page
      });
      await page.getByText(ready).first().waitFor();
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      expect(overflow).toBe(0);
      await page.addScriptTag({ path: AXE });
      const { violations, passes } = await page.evaluate(() => window.axe.run());
      expect(passes.length).toBeGreaterThan(15); // it has looked
      const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
      expect(
        serious.map(({ id, nodes }) => [
          id,
          nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`),
        ]),
      ).toEqual([]);
      expect(failures).toEqual([]);
      await page.context().close();
    });
});
