import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collectFailures, launchChromium, reasonToSkip } from '../../../../test/browser/chromium.ts';
import { runAll, spell } from '../../src/all/all.node.ts';
import { rooflinePlot } from '../../src/all/roofline-plot.ts';
import { isShared } from '../../src/all/suite.ts';
import { main } from '../../src/main.ts';
import type { Benchmark } from '../../src/report/benchmark.ts';
import { readDocuments } from '../../src/report/document.node.ts';
import { makeBar, makeControl, type Report } from '../../src/report/report.ts';

const HOSTILE = '<script>globalThis.bad = 1</script> | `x` *y*';

const roofline = {
  ...{ fmaGflops: 50, fmaGflopsUndisturbed: 51, fmaVariant: 'f32 × 8', copyGBs: 10 },
  ...{ scalarLoads: 1, vec4Loads: 0.5 },
};

const kernel = (name: string, gflops: number, gbs: number) => ({
  ...{ name, medianMs: 2, quartilesMs: [1.9, 2.1], gflops, gbs, share: 0.4, samplesMs: [2, 2.1, 1.9] },
});

const kernels: Report = {
  title: 'kernels',
  settings: {},
  results: [kernel(HOSTILE, 20, 0.5), kernel('copy', 0, 10)],
  table: [
    ['', 'ms'],
    [HOSTILE, '2.00'],
  ],
  roofline,
  shown: ['first call: 4 s'],
  skipped: [],
  controls: [makeControl('x against itself', { ratio: 1, low: 0.99, high: 1.01 })],
  bars: [makeBar('share of the peak', 20, 50, 'GFLOP/s', 0.3)],
};

const benchmark = (name: string, run: Benchmark['run']): Benchmark => ({
  ...{ name, summary: name, description: name, duration: { full: 120, quick: 10 }, run },
});

const folder = mkdtempSync(join(tmpdir(), 'bench-all-'));
afterAll(() => rmSync(folder, { recursive: true }));

const said = { progress: [] as string[], outcome: [] as string[] };
const say = {
  progress: (text: string) => said.progress.push(text),
  outcome: (text: string) => said.outcome.push(text),
};
const out = join(folder, 'report');
const read = (name: string) => readFileSync(join(out, name), 'utf8');
/** When the second benchmark began. */
let onDisk = false;
let asked: { parts: readonly string[]; form: string } | undefined;

beforeAll(async () => {
  const first: Benchmark = {
    ...benchmark('kernels', async ({ parts, form }) => {
      asked = { parts, form };
      return kernels;
    }),
    parts: ['a', 'b'],
    quickParts: ['b'],
  };
  const second = benchmark('load', async () => {
    onDisk = existsSync(join(out, 'report.json'));
    throw new Error('no room on the disk');
  });
  expect(await runAll([first, second], { form: 'quick', out, note: HOSTILE }, say)).toBe(false);
});

describe('bench all', () => {
  it('announces how long it takes, and shows how far it is', () => {
    const [announced] = said.progress;
    expect(announced.replace(/\s+/g, ' ')).toMatch(
      /^2 benchmarks, quick form: about 20 s on a software adapter/,
    );
    expect(said.progress).toContain('[1/2] kernels; about 20 s left');
    expect(said.progress.some((text) => /^\[2\/2\] load; about /.test(text))).toBe(true);
  });

  it('runs the parts of the form', () => expect(asked).toEqual({ parts: ['b'], form: 'quick' }));

  it('goes on when a benchmark fails, and says so in every file', () => {
    expect(said.outcome.at(-1)?.replace(/\s+/g, ' ')).toContain('something failed in load');
    expect(read('report.md')).toContain('FAIL load: no room on the disk');
    expect(read('report.html')).toContain('load: no room on the disk');
    expect(JSON.parse(read('report.json'))).toMatchObject({
      format: 1,
      suite: 'quick',
      command: 'npm run -s bench -- all --quick',
      failed: [{ benchmark: 'load', message: 'no room on the disk' }],
    });
  });

  it('has what is done on the disk before the next one begins', () => expect(onDisk).toBe(true));

  it('writes a file that compare reads', async () => {
    const [document] = await readDocuments(join(out, 'report.json'));
    expect(document.results.get('copy')?.samplesMs).toHaveLength(3);
    const texts: string[] = [];
    const streams = { out: (text: string) => texts.push(text), err: (text: string) => texts.push(text) };
    const file = join(out, 'report.json');
    expect(await main(['compare', file, file], streams)).toBe(0);
    expect(texts.join('\n')).toMatch(/copy +2\.00 +2\.00/);
  });

  it('writes a table to paste', () => {
    const table = read('report.md');
    expect(table).toContain('| kernels | copy | 2.00 | 1.90–2.10 |  | 40 % |');
    expect(table).toContain('Again: `npm run -s bench -- all --quick`');
    expect(table).not.toMatch(/(?<!\\)<script>/);
    const rows = table.split('\n').filter((line) => line.startsWith('|'));
    const cells = rows.map((row) => row.replaceAll('\\|', '').split('|').length);
    expect(new Set(cells)).toEqual(new Set([8]));
  });

  it('runs the kernels of a folder, and records that it did', async () => {
    const shaders = join(folder, 'shaders');
    mkdirSync(shaders);
    copyFileSync(new URL('../../../../shaders/add.wgsl', import.meta.url), join(shaders, 'add.wgsl'));
    let given: readonly string[] = [];
    const only = benchmark('kernels', async ({ device }) => {
      given = [...(device.shaders?.keys() ?? [])];
      return kernels;
    });
    const other = join(folder, 'of-shaders');
    await runAll([only], { form: 'quick', out: other, shaders }, say);
    expect(given).toEqual(['add']);
    const { command, environment } = JSON.parse(readFileSync(join(other, 'report.json'), 'utf8'));
    expect(command).toBe(`npm run -s bench -- all --quick --shaders ${shaders}`);
    expect(environment.shaders).toBe(`add from ${shaders}`);
    expect(readFileSync(join(other, 'report.md'), 'utf8')).toContain(`add from ${shaders}`);
  });

  it('keeps what is there', async () => {
    await expect(runAll([], { form: 'quick', out }, say)).rejects.toThrow(`${out} holds a report already`);
    const inFile = join(out, 'report.md', 'x');
    await expect(runAll([], { form: 'quick', out: inFile }, say)).rejects.toThrow(
      `--out ${inFile}: the folder cannot`,
    );
  });
});

const skip = reasonToSkip();

describe('the page', () => {
  it('forbids everything but its own style', () => {
    const html = read('report.html');
    expect(html).toMatch(
      /default-src 'none'; style-src 'sha256-[\w+/]+=*'; base-uri 'none'; form-action 'none'/,
    );
    expect(html).not.toMatch(/<script|<link|<img|style=|href=|src=/);
    expect(html).toContain('&#60;script&#62;');
  });

  it.skipIf(skip)('is shown by a browser as it stands', async () => {
    const browser = await launchChromium();
    try {
      const page = await browser.newPage();
      const failures = collectFailures(page);
      await page.goto(pathToFileURL(join(out, 'report.html')).href);
      expect(await page.locator('circle').count()).toBe(1); // what computes nothing is not in the plot
      expect(await page.locator('polyline').boundingBox()).toMatchObject({ width: expect.any(Number) });
      // The style is applied: its hash is the policy's.
      expect(
        await page
          .locator('table')
          .first()
          .evaluate((node) => getComputedStyle(node).borderCollapse),
      ).toBe('collapse');
      expect(failures).toEqual([]);
    } finally {
      await browser.close();
    }
  });
});

describe('the roofline plot', () => {
  const plot = rooflinePlot(roofline, [
    { name: 'low', intensity: 0.5, gflops: 4 },
    { name: 'high', intensity: 60, gflops: 40 },
  ]);
  const numbers = (pattern: RegExp) => [...plot.matchAll(pattern)].map(([, x, y]) => [Number(x), Number(y)]);

  it('rises to the ridge and is flat from there on', () => {
    const [, points] = plot.match(/points="([^"]+)"/) ?? [];
    const [[x0, y0], [x1, y1], [x2, y2]] = points.split(' ').map((pair) => pair.split(',').map(Number));
    expect(x0).toBeLessThan(x1);
    expect(x1).toBeLessThan(x2);
    expect(y1).toBeLessThan(y0); // down is more in SVG
    expect(y2).toBe(y1);
    // A decade is as long in both directions of the slope as the axes say: 5 FLOP a byte allow 50 GFLOP/s.
    expect((x1 - x0) / (x2 - x0)).toBeCloseTo(Math.log10(5 / 0.1) / Math.log10(100 / 0.1), 3);
  });

  it('has every point below the roof, inside of the frame', () => {
    const dots = numbers(/cx="([\d.]+)" cy="([\d.]+)"/g);
    expect(dots).toHaveLength(2);
    for (const [x, y] of dots) {
      expect(x).toBeGreaterThanOrEqual(60);
      expect(x).toBeLessThanOrEqual(740);
      expect(y).toBeGreaterThanOrEqual(16);
      expect(y).toBeLessThanOrEqual(392);
    }
  });
});

it('knows a machine that others use', () => {
  expect(isShared({ environment: { load: 0.1 } })).toBe(false);
  expect(isShared({ environment: { load: 1.5 } })).toBe(true);
});

it.each([
  [20, '20 s'],
  [60, '1 min'],
  [290, '4 min 50 s'],
])('spells %d seconds', (seconds, text) => expect(spell(seconds)).toBe(text));
