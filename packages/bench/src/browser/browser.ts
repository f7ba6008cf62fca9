import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Device } from '@hrm-webgpu/core';
import { encodeModel, initializeModel, PRESETS } from 'hrm-webgpu';
import { writeFileAtomic } from 'hrm-webgpu/node';
import type { Benchmark, BenchmarkContext } from '../report/benchmark.ts';
import type { Report } from '../report/report.ts';
import { median } from '../timing/statistics.ts';
import { significant } from '../timing/table.ts';
import { PAGE, type PageTimes } from './page.ts';

const VISITS = 5;

/** In a checkout: what stages the packages and starts the browser. */
const scripts = (name: string) => new URL(`../../../../scripts/${name}.mjs`, import.meta.url).href;
const TRAINED = fileURLToPath(new URL('../../../../test/fixtures/trained-6x6', import.meta.url));

/** A model that a page loads, and what it is asked. */
interface Subject {
  name: string;
  folder: string;
  grid: number[][];
}

export const browserBenchmark: Benchmark = {
  name: 'browser',
  summary: 'from navigation to the first answer in headless Chromium (SwiftShader)',
  description: [
    `Visits a page with hrm-webgpu/standalone ${VISITS} times, each in a fresh profile, and times from the navigation on: the`,
    'library, the weights, the first answer, and a second one on the same puzzle, which has nothing left to set up. Shown: for the',
    'trained 6×6 model, the first answer less what computing it takes (the second answer); for a model of the size of the',
    "demo's, the first answer.",
  ].join('\n'),
  duration: { full: 60 },
  ownKernels: true,
  needsCheckout: true,
  run,
};

async function run({ device, note }: BenchmarkContext): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'hrm-bench-browser-'));
  try {
    note('packing the library…');
    const { stagePackages } = await import(scripts('packages'));
    await stagePackages(join(folder, 'packages'));
    const site = join(folder, 'site');
    cpSync(join(folder, 'packages/hrm/dist/standalone.js'), join(site, 'standalone.js'));
    cpSync(join(folder, 'packages/hrm/dist/standalone-checks.js'), join(site, 'standalone-checks.js'));
    writeFileSync(join(site, 'index.html'), PAGE);
    cpSync(TRAINED, join(site, 'trained-6x6'), { recursive: true });
    await writeDemoModel(device, join(site, 'demo-4x4'));
    const subjects: Subject[] = [
      {
        name: 'trained-6x6',
        folder: 'trained-6x6',
        grid: digits('4...21 2315.. .4..63 6....5 ..4.5. .6....'),
      },
      { name: 'demo-4x4', folder: 'demo-4x4', grid: digits('1... ..3. .4.. ...2') },
    ];
    return await visitAll(site, subjects, note);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const digits = (rows: string) => rows.split(' ').map((row) => Array.from(row, (digit) => Number(digit) || 0));

/** Untrained: it takes as long to answer as the trained one does at most. */
async function writeDemoModel(device: Device, folder: string): Promise<void> {
  const sizes = { vocab_size: 6, seq_len: 16, num_puzzle_identifiers: 1 };
  const model = await initializeModel(device, { ...PRESETS['demo-4x4'].arch, ...sizes }, 0);
  mkdirSync(folder);
  await writeFileAtomic(join(folder, 'best.safetensors'), await encodeModel(model));
  model.dispose();
}

async function visitAll(site: string, subjects: readonly Subject[], note: (text: string) => void) {
  const { launchChromium } = await import(scripts('browsers'));
  const server = await serve(site);
  const origin = `http://localhost:${(server.address() as AddressInfo).port}`;
  const times = new Map<string, PageTimes[]>();
  try {
    for (const subject of subjects) {
      note(`${subject.name}: ${VISITS} visits…`);
      const visits: PageTimes[] = [];
      for (let i = 0; i < VISITS; i++) {
        const browser = await launchChromium(); // a profile and shader caches of its own
        const page = await (await browser.newContext()).newPage();
        const query = new URLSearchParams({
          model: `${subject.folder}/`,
          grid: JSON.stringify(subject.grid),
        });
        await page.goto(`${origin}/index.html?${query}`);
        const found = await page.waitForFunction('globalThis.found', undefined, { timeout: 60_000 });
        const result = (await found.jsonValue()) as PageTimes | { error: string };
        await browser.close();
        if ('error' in result) throw new Error(`${subject.name}: ${result.error}`);
        visits.push(result);
      }
      times.set(subject.name, visits);
    }
  } finally {
    server.close();
  }
  return browserReport(times);
}

async function serve(folder: string) {
  const types: Record<string, string> = { html: 'text/html', js: 'text/javascript' };
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    try {
      const contents = readFileSync(join(folder, path));
      response.setHeader('content-type', types[path.split('.').at(-1) ?? ''] ?? 'application/octet-stream');
      response.end(request.method === 'HEAD' ? undefined : contents);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

/** The report on visits by model. */
export function browserReport(times: ReadonlyMap<string, readonly PageTimes[]>): Report {
  const medianOf = (name: string, pick: (visit: PageTimes) => number) =>
    median((times.get(name) ?? []).map(pick));
  const overhead = medianOf('trained-6x6', ({ solvedMs, againMs }) => solvedMs - againMs) / 1000;
  const solved = medianOf('demo-4x4', ({ solvedMs }) => solvedMs) / 1000;
  const rows = [...times].map(([name, visits]) => [
    name,
    ...(['libraryMs', 'loadedMs', 'firstSegmentMs', 'solvedMs', 'againMs'] as const).map((key) =>
      significant(median(visits.map((visit) => visit[key]))),
    ),
    String(median(visits.map(({ segments }) => segments))),
  ]);
  return {
    title: `from navigation to the first answer, medians of ${VISITS} visits in fresh profiles (headless Chromium, SwiftShader)`,
    settings: { visits: VISITS },
    results: [...times].map(([name, visits]) => ({
      name,
      samplesMs: visits.map(({ solvedMs }) => solvedMs),
      visits,
    })),
    table: [['model', 'library', 'weights', 'first segment', 'solved, ms', 'again, ms', 'segments'], ...rows],
    shown: [
      `trained-6x6, all but computing: ${significant(overhead)} s`,
      `demo-4x4, first answer: ${significant(solved)} s`,
    ],
    skipped: [],
    controls: [],
    bars: [],
  };
}
