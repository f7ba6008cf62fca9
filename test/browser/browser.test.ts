/**
 * The browser path: the engine, bundled as users bundle it, reproduces the published implementation and solves a puzzle
 * in Chromium on a real WebGPU adapter (SwiftShader, which needs no GPU).
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rulesBroken, sudokuShape } from 'hrm-webgpu';
import type { Browser, Page } from 'playwright-core';
import {
  build,
  defaultClientConditions,
  type InlineConfig,
  type PreviewServer,
  preview,
  type Rollup,
} from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collectFailures, launchChromium, reasonToSkip } from './chromium.ts';
import type { PageReport } from './page.ts';

const FIXTURE = fileURLToPath(new URL('../fixtures/tiny-rope', import.meta.url));

const TRAINED = fileURLToPath(new URL('../fixtures/trained-6x6', import.meta.url));
/** A 6×6 Sudoku that this model solves. */
const PUZZLE = ['4...21', '2315..', '.4..63', '6....5', '..4.5.', '.6....'];

const CELLS = PUZZLE.map((row) => [...row].map((digit) => Number(digit.replace('.', '0'))));

/** Every group of comparisons that the fixture has for evaluation and gradients, and the arrays in it. */
const EXPECTED_GROUPS = {
  'eval, segment 0': 5,
  'eval, segment 1': 5,
  'eval, segment 2': 5,
  'eval, segment 3': 5,
  'grad, losses and metrics': 9,
  'grad, outputs': 4,
  'grad, carry': 2,
  'grad, gradients': 13,
};

/** Well above what a test takes: the longest, the trace in two orders, 15 s on two cores that have seven things to do. */
const TIMEOUT = 45_000;

const skip = reasonToSkip();

describe('in Chromium', { timeout: TIMEOUT }, () => {
  let browser: Browser;
  let server: PreviewServer;
  let modules: string[];
  const cleanups: (() => unknown)[] = [];

  beforeAll(async () => {
    if (skip) return console.warn(`skipped: ${skip}`);
    browser = await launchChromium();
    cleanups.push(() => browser.close());
    const folder = mkdtempSync(join(tmpdir(), 'hrm-browser-test-'));
    cleanups.push(() => rmSync(folder, { recursive: true }));
    modules = await bundlePage(folder);
    cpSync(TRAINED, join(folder, 'trained'), { recursive: true });
    server = await preview(viteConfig(folder));
    cleanups.push(() => server.close());
  }, TIMEOUT);

  afterAll(() => Promise.all(cleanups.map((cleanup) => cleanup())));

  /** Opens the page in a fresh profile; `before` runs there ahead of the page's own scripts. */
  async function onPage<T>(body: (page: Page) => Promise<T>, before = () => {}): Promise<T> {
    const context = await browser.newContext();
    try {
      const page = await context.newPage();
      const failures = collectFailures(page);
      await page.addInitScript(before);
      await page.goto(server.resolvedUrls?.local[0] ?? '');
      const result = await body(page);
      expect(failures).toEqual([]);
      return result;
    } finally {
      await context.close();
    }
  }

  const runPage = (parts: string[], before?: () => void): Promise<PageReport> =>
    onPage((page) => page.evaluate((parts) => window.parity(parts), parts), before);

  it('evaluation and gradients are those of the published implementation', async (test) => {
    if (skip) test.skip(skip);
    const report = await runPage(['eval', 'grad']);
    if ('error' in report) throw new Error(report.error);
    const { adapter, rows } = report;
    console.log(`adapter in the browser: ${JSON.stringify(adapter)}`);
    expect(adapter).toMatchObject({ vendor: 'google', architecture: 'swiftshader', class: 'software' });
    expect(rows.filter((row) => !row.ok)).toEqual([]);
    expect(Object.fromEntries(rows.map((row) => [row.group, row.compared]))).toEqual(EXPECTED_GROUPS);
  });

  it('recorded training steps are those of the published implementation', async (test) => {
    if (skip) test.skip(skip);
    const report = await runPage(['trace']);
    if ('error' in report) throw new Error(report.error);
    expect(report.rows.length).toBeGreaterThan(4);
    expect(report.rows.filter((row) => !row.ok)).toEqual([]);
  });

  it('HRM.load takes a published checkpoint from a URL and solves a Sudoku', async (test) => {
    if (skip) test.skip(skip);
    const { solution, thoughts } = await onPage((page) =>
      page.evaluate((puzzle) => window.solve('trained/checkpoint', puzzle), CELLS),
    );
    const cells = solution.grid.flat();
    expect(cells).not.toContain(0);
    expect(rulesBroken(sudokuShape(6), cells)).toEqual([]);
    expect(CELLS.flat().map((given, cell) => given && cells[cell])).toEqual(CELLS.flat());
    expect(solution.halted).toBe(true);
    expect(thoughts).toBe(solution.segments);
  });

  it('HRM goes on when the GPU process has ended', async (test) => {
    if (skip) test.skip(skip);
    const doomed = await launchChromium(); // it gives no adapter after two of these
    try {
      const page = await doomed.newPage();
      const session = await doomed.newBrowserCDPSession();
      await page.exposeFunction('crash', () => session.send('Browser.crashGpuProcess'));
      await page.goto(server.resolvedUrls?.local[0] ?? '');
      const { before, after, told, attempts } = await page.evaluate(
        (puzzle) => window.outlive('trained/checkpoint', puzzle),
        CELLS,
      );
      expect(attempts[0]).toBe(1);
      expect(told).toEqual([1, 2, 3, 4]);
      expect({ ...after, verified: true }).toEqual({ ...before, verified: true });
    } finally {
      await doomed.close();
    }
  });

  it('IndexedDB keeps tuning records', async (test) => {
    if (skip) test.skip(skip);
    const choices = { 'matmul m=1 n=4 k=2 a_row=2 a_column=1': { kernel: 'matmul', settings: { ROWS: 4 } } };
    expect(await onPage((page) => page.evaluate((choices) => window.tuning(choices), choices))).toEqual(
      choices,
    );
  });

  it('without WebGPU, openDevice says what to do', async (test) => {
    if (skip) test.skip(skip);
    const report = await runPage([], () => Object.defineProperty(navigator, 'gpu', { value: undefined }));
    expect(report).toEqual({
      error:
        'No WebGPU in this browser: use a current Chrome, Edge, Firefox or Safari with WebGPU switched on.',
    });
  });

  it('without an adapter, openDevice says where to look', async (test) => {
    if (skip) test.skip(skip);
    const report = await runPage([], () => {
      navigator.gpu.requestAdapter = async () => null;
    });
    expect(report).toEqual({ error: expect.stringMatching(/found no adapter\. Check chrome:\/\/gpu/) });
  });

  it('the bundle holds nothing of Node', (test) => {
    if (skip) test.skip(skip);
    expect(modules).toContainEqual(expect.stringContaining('gpu.browser.ts'));
    expect(modules.filter((id) => /\.node\.ts$|^node:|browser-external/.test(id))).toEqual([]);
  });
});

/** The page in `folder`, with the files of the fixture beside it. */
function viteConfig(folder: string): InlineConfig {
  return {
    root: import.meta.dirname,
    configFile: false,
    envFile: false,
    logLevel: 'warn',
    appType: 'mpa', // a missing file is a 404, not the page
    publicDir: FIXTURE,
    resolve: { conditions: ['source', ...defaultClientConditions] },
    build: { outDir: folder, emptyOutDir: false, target: 'es2022' },
    preview: { port: 0 },
  };
}

/** Builds the page; returns the modules in it. */
async function bundlePage(folder: string): Promise<string[]> {
  const { output } = (await build(viteConfig(folder))) as Rollup.RollupOutput;
  return output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []));
}
