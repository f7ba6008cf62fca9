import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Benchmark, BenchmarkContext } from '../report/benchmark.ts';
import type { Report } from '../report/report.ts';
import { median, quantile } from '../timing/statistics.ts';
import { significant } from '../timing/table.ts';

const VISITS = 5;
const INTERACTIONS = 30;
/** A small run, which goes on as long as somebody clicks. */
const RUN = '#/train?steps=5000&batch=16';

const scripts = (name: string) => new URL(`../../../../scripts/${name}.mjs`, import.meta.url).href;

/** As much of Playwright's page as is used here. */
interface Tab {
  goto(url: string): Promise<unknown>;
  evaluate<T>(body: () => T): Promise<T>;
  addInitScript(body: () => void): Promise<void>;
  waitForFunction(
    body: () => unknown,
    argument: undefined,
    options: object,
  ): Promise<{ jsonValue(): Promise<unknown> }>;
  getByRole(role: string, options: object): { click(): Promise<void> };
  on(event: 'response', listener: (response: { url(): string }) => void): void;
  close(): Promise<void>;
}
interface Started {
  newContext(): Promise<{ newPage(): Promise<Tab> }>;
  close(): Promise<void>;
}

export const webPageBenchmark: Benchmark = {
  name: 'page',
  summary: 'the page: weight, first answer from a cold profile, and how soon it answers while it trains',
  description: [
    `Builds packages/web and visits it ${VISITS} times in headless Chromium (SwiftShader), each in a fresh profile: from the navigation to the first`,
    `answer of the 4×4 model on the screen. Then it trains in the page, and ${INTERACTIONS} clicks are timed from the event to the next paint (Event Timing). The`,
    'weight is what the first visit fetched, gzipped, without models.',
  ].join('\n'),
  duration: { full: 90 },
  ownKernels: true,
  needsCheckout: true,
  run,
};

async function run({ note }: BenchmarkContext): Promise<Report> {
  const { buildPage, servePage } = await import(scripts('web'));
  const { launchChromium } = await import(scripts('browsers'));
  const outDir = mkdtempSync(join(tmpdir(), 'hrm-bench-page-'));
  note('building the page…');
  await buildPage({ outDir, logLevel: 'error' });
  const server = await servePage({ port: 0, outDir });
  try {
    const visits: number[] = [];
    let fetched = new Set<string>();
    for (let i = 0; i < VISITS; i++) {
      note(`visit ${i + 1} of ${VISITS}…`);
      const visit = await firstAnswer(await launchChromium(), server.url);
      visits.push(visit.ms);
      fetched = visit.fetched;
    }
    note('clicking while it trains…');
    const paints = await interactions(await launchChromium(), server.url);
    return report(visits, paints, weightOf(outDir, server.url, fetched));
  } finally {
    await server.close();
    rmSync(outDir, { recursive: true, force: true });
  }
}

async function firstAnswer(browser: Started, url: string) {
  const page = await (await browser.newContext()).newPage();
  const fetched = new Set<string>();
  page.on('response', (response) => fetched.add(response.url()));
  await page.goto(url);
  const seen = () => /Solved, and proven|Not solved/.test(document.body.innerText) && performance.now();
  const found = await page.waitForFunction(seen, undefined, { timeout: 120_000, polling: 'raf' });
  const ms = (await found.jsonValue()) as number;
  await browser.close();
  return { ms, fetched };
}

/** Milliseconds from each click to the paint after it; those below 16 count as 16. */
async function interactions(browser: Started, url: string): Promise<number[]> {
  const page = await (await browser.newContext()).newPage();
  await page.addInitScript(() => {
    const shown = globalThis as unknown as { paints: Map<number, number> };
    shown.paints = new Map();
    new PerformanceObserver((list) => {
      for (const { interactionId, duration } of list.getEntries() as (PerformanceEntry & {
        interactionId?: number;
      })[])
        if (interactionId)
          shown.paints.set(interactionId, Math.max(duration, shown.paints.get(interactionId) ?? 0));
    }).observe({ type: 'event', durationThreshold: 16 } as PerformanceObserverInit);
  });
  await page.goto(url + RUN);
  await page.getByRole('button', { name: /^Start/ }).click();
  const trains = () => Number(document.querySelector('progress')?.value ?? 0) > 3;
  await page.waitForFunction(trains, undefined, { timeout: 300_000 });
  await page.evaluate(() => (globalThis as unknown as { paints: Map<number, number> }).paints.clear());
  for (let i = 0; i < INTERACTIONS; i++)
    await page.getByRole('checkbox', { name: 'Go on while this tab is hidden' }).click();
  const slow = await page.evaluate(() => [
    ...(globalThis as unknown as { paints: Map<number, number> }).paints.values(),
  ]);
  await browser.close();
  return [...slow, ...Array(Math.max(0, INTERACTIONS - slow.length)).fill(16)];
}

/** Gzipped bytes of what was fetched, models apart; and of all that the page may fetch. */
function weightOf(outDir: string, url: string, fetched: ReadonlySet<string>) {
  const files = (readdirSync(outDir, { recursive: true }) as string[]).filter(
    (file) => statSync(join(outDir, file)).isFile() && !file.endsWith('.safetensors'),
  );
  const sizeOf = (file: string) => gzipSync(readFileSync(join(outDir, file)), { level: 9 }).length;
  const asked = files.filter((file) => fetched.has(url + file) || file === 'index.html');
  const sum = (list: readonly string[]) => list.reduce((total, file) => total + sizeOf(file), 0);
  return { first: sum(asked), all: sum(files) };
}

function report(
  visits: readonly number[],
  paints: readonly number[],
  weight: { first: number; all: number },
): Report {
  const kB = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`;
  return {
    title: `the page in headless Chromium on SwiftShader, ${VISITS} visits in fresh profiles`,
    settings: { visits: VISITS, interactions: INTERACTIONS },
    results: [
      { name: 'first answer', samplesMs: visits },
      { name: 'click to paint while it trains', samplesMs: paints },
      { name: 'weight', ...weight },
    ] as Report['results'],
    table: [
      ['', 'median ms', 'most ms'],
      ['first answer, from the navigation', significant(median(visits)), significant(Math.max(...visits))],
      ['click to paint while it trains', significant(median(paints)), significant(Math.max(...paints))],
    ],
    shown: [
      `weight without models, gzipped: ${kB(weight.first)} for the first answer, ${kB(weight.all)} in all`,
      `click to paint while it trains, 98th percentile: ${significant(quantile(paints, 0.98))} ms`,
    ],
    skipped: [],
    controls: [],
    bars: [],
  };
}
