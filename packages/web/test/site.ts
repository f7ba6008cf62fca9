/** The built page in Chromium, as a static server offers it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { onTestFailed } from 'vitest';
import { buildPage, servePage } from '../../../scripts/web.mjs';
import { collectFailures, launchChromium } from '../../../test/browser/chromium.ts';

export interface Opened {
  page: Page;
  /** Errors of the page that nothing waits for, broken rules of its policy among them. */
  failures: string[];
}

export interface PageOptions extends BrowserContextOptions {
  /** Scripts that run before those of the page, and of its workers. */
  before?: string;
  beforeWorkers?: string;
}

/** How long a test waits for what a page should show: busy machines take their time, and nothing here is timed. */
const PATIENCE_MS = 90_000;

/** A build of the page below a path that is not the root, and a browser. */
export class Site {
  private constructor(
    private readonly outDir: string,
    private server: Awaited<ReturnType<typeof servePage>>,
    readonly browser: Browser,
  ) {}

  /** @param checkpointHome where published checkpoints come from, for this build */
  static async open(checkpointHome = ''): Promise<Site> {
    const outDir = mkdtempSync(join(tmpdir(), 'hrm-page-'));
    process.env.VITE_CHECKPOINT_HOME = checkpointHome;
    await buildPage({ outDir, logLevel: 'error' });
    const server = await servePage({ port: 0, outDir, base: '/somewhere/else/' });
    return new Site(outDir, server, await launchChromium());
  }

  get url(): string {
    return new URL('somewhere/else/', this.server.url).href;
  }

  /** A page in a profile of its own. */
  async page(hash = '', { before, beforeWorkers, ...options }: PageOptions = {}): Promise<Opened> {
    const context = await this.browser.newContext(options);
    context.setDefaultTimeout(PATIENCE_MS);
    const page = await context.newPage();
    const failures = collectFailures(page);
    // A wait that has run out tells what was not seen; this, what was.
    onTestFailed(async () => {
      if (page.isClosed()) return;
      console.error(`the page shows:\n${await page.locator('body').innerText()}\n${failures.join('\n')}`);
    });
    if (before) await page.addInitScript(before);
    if (beforeWorkers) {
      await page.route('**/worker-*.js', async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, body: `${beforeWorkers};\n${await response.text()}` });
      });
    }
    await page.goto(this.url + hash);
    return { page, failures };
  }

  /** A page that WebGPU is hidden from, and from its workers. */
  pageWithoutGpu(hash = '', options: BrowserContextOptions = {}): Promise<Opened> {
    const hideFrom = (navigator: string) =>
      `Object.defineProperty(${navigator}.prototype, 'gpu', { value: undefined })`;
    return this.page(hash, {
      ...options,
      before: hideFrom('Navigator'),
      beforeWorkers: hideFrom('WorkerNavigator'),
    });
  }

  /** What the server offers at an address. */
  fileOf(url: string): Buffer {
    return readFileSync(join(this.outDir, url.slice(this.url.length) || 'index.html'));
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.server.close();
    rmSync(this.outDir, { recursive: true, force: true });
  }
}
