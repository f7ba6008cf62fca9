import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Device } from '@hrm-webgpu/core';
import { encodeModel, initializeModel } from 'hrm-webgpu';
import { writeFileAtomic } from 'hrm-webgpu/node';
import type { Benchmark, BenchmarkContext } from '../report/benchmark.ts';
import { makeBar, type Report } from '../report/report.ts';
import { median } from '../timing/statistics.ts';
import { significant } from '../timing/table.ts';
import { FULL_MODEL } from './hrm-cases.ts';

/** What load-once.ts finds out. */
export interface Load {
  seconds: number;
  /** The peak of the resident memory above that before, GPU memory included on software adapters. */
  risenBytes: number;
  longestBlockMs: number;
}

const LOADS = { full: 7, quick: 3 };
/** Of the file, in memory at the peak. */
const SIZES = 2.5;

export const loadBenchmark: Benchmark = {
  name: 'load',
  summary: 'loading a published checkpoint of 27 M parameters: time, memory, pauses',
  description: [
    `Writes a checkpoint of the published kind and size (a .pt file of 109 MB), and loads it with HRM.load in ${LOADS.full}`,
    "processes, one after the other. Bar: the rise of the resident memory, which on a software adapter includes the GPU's,",
    'in sizes of the file. Shown: seconds; the longest pause of the event loop in a load. All by medians over the processes.',
  ].join('\n'),
  duration: { full: 20, quick: 10 },
  ownKernels: true,
  run,
};

async function run({ device, form, note }: BenchmarkContext): Promise<Report> {
  const folder = mkdtempSync(join(tmpdir(), 'hrm-bench-load-'));
  try {
    note('writing a checkpoint…');
    const path = await writeCheckpoint(device, folder);
    const { size } = statSync(path);
    note(`loading it ${LOADS[form]} times…`);
    const loads = Array.from({ length: LOADS[form] }, () => loadOnce(path));
    return loadReport(size, loads);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A fresh model of the published size as a published checkpoint, with its all_config.yaml beside it. */
async function writeCheckpoint(device: Device, folder: string): Promise<string> {
  const model = await initializeModel(device, FULL_MODEL, 0);
  const ours = join(folder, 'model.safetensors');
  await writeFileAtomic(ours, await encodeModel(model));
  model.dispose();
  const path = join(folder, 'checkpoint.pt');
  const hrm = fileURLToPath(new URL('../bin/hrm.js', import.meta.resolve('hrm-webgpu')));
  execFileSync(process.execPath, [hrm, 'export', ours, '--to', 'pt', '--out', path], { stdio: 'pipe' });
  return path;
}

function loadOnce(path: string): Load {
  const script = fileURLToPath(new URL('./load-once.js', import.meta.url));
  const options = { encoding: 'utf8', stdio: 'pipe', timeout: 120_000 } as const;
  return JSON.parse(execFileSync(process.execPath, [script, path], options));
}

/** The report on several loads of a file of `size` bytes. */
export function loadReport(size: number, loads: readonly Load[]): Report {
  const seconds = median(loads.map((load) => load.seconds));
  const sizes = median(loads.map(({ risenBytes }) => risenBytes / size));
  const blockMs = median(loads.map(({ longestBlockMs }) => longestBlockMs));
  const rows = loads.map(({ seconds, risenBytes, longestBlockMs }, i) => [
    `load ${i + 1}`,
    ...[seconds, risenBytes / size, longestBlockMs].map(significant),
  ]);
  const results = [
    { name: 'load', samplesMs: loads.map((load) => 1000 * load.seconds), loads },
    { name: 'longest pause', samplesMs: loads.map((load) => load.longestBlockMs) },
    { name: 'memory at the peak', risenBytes: median(loads.map((load) => load.risenBytes)) },
  ];
  return {
    title: `loading a .pt checkpoint of ${(size / 1e6).toFixed(1)} MB`,
    settings: { loads: loads.length, bytes: size },
    results,
    table: [['', 'seconds', 'memory, in sizes of the file', 'longest pause, ms'], ...rows],
    shown: [
      `time to load: ${significant(seconds)} s`,
      `longest pause of the event loop: ${significant(blockMs)} ms`,
    ],
    skipped: [],
    controls: [],
    bars: [makeBar('memory at the peak: allowed against measured', SIZES, sizes, '× the file', 1)],
  };
}
