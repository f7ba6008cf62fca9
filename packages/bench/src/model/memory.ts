import type { Device } from '@hrm-webgpu/core';
import type { ModelConfig } from 'hrm-webgpu';
import type { Benchmark, BenchmarkContext } from '../report/benchmark.ts';
import { makeBar, type Report, type Result } from '../report/report.ts';
import { FULL_MODEL, SMALL_MODEL, trainingCallOf } from './hrm-cases.ts';

/** Peak GPU memory of a training call. */
interface Peak extends Result {
  peakBytes: number;
}

interface Subject {
  name: string;
  config: ModelConfig;
  rows: number;
}

const cycles = (count: number) => ({ ...SMALL_MODEL, H_cycles: count, L_cycles: count });
const segments = (count: number) => ({ ...SMALL_MODEL, halt_max_steps: count });

const FEW: Subject = { name: '1 × 1 cycles, batch 8', config: cycles(1), rows: 8 };
const MANY: Subject = { name: '8 × 8 cycles, batch 8', config: cycles(8), rows: 8 };
const TWO: Subject = { name: 'M = 2, batch 8', config: segments(2), rows: 8 };
const SIXTEEN: Subject = { name: 'M = 16, batch 8', config: segments(16), rows: 8 };
const BATCHES = [8, 16, 32].map((rows): Subject => ({ name: `batch ${rows}`, config: SMALL_MODEL, rows }));
const FULL: Subject = { name: 'full model (27 M), batch 2', config: FULL_MODEL, rows: 2 };
const SUBJECTS = [FEW, MANY, TWO, SIXTEEN, ...BATCHES, FULL];

export const memoryBenchmark: Benchmark = {
  name: 'memory',
  summary: 'peak GPU memory of training calls: cycles, segments, batch',
  description: [
    'Makes one recorded training call each and reports the largest sum of all GPU buffers at any time, weights and',
    'uploads included. Bars: the peak does not depend on the number of cycles or segments, and grows linearly with',
    'the batch. Nothing is timed, so there is no control.',
  ].join('\n'),
  duration: { full: 40, quick: 40 },
  run,
};

async function run({ device, note }: BenchmarkContext): Promise<Report> {
  const results: Peak[] = [];
  for (const { name, config, rows } of SUBJECTS) {
    note(`${name}…`);
    results.push({ name, peakBytes: await peakOf(device, config, rows) });
  }
  return memoryReport(results);
}

/** The report on the peaks of all subjects. */
export function memoryReport(results: readonly Peak[]): Report {
  const peakAt = ({ name }: Subject) =>
    results.find((result) => result.name === name)?.peakBytes ?? Number.NaN;
  const peaks = BATCHES.map(peakAt);
  // From 16 to 32 twice as much is added as from 8 to 16; buffers are rounded up to 256 bytes.
  const growths = [2 * (peaks[1] - peaks[0]), peaks[2] - peaks[1]] as const;
  return {
    title: 'peak GPU memory of a training call, hidden 128 unless said otherwise',
    settings: { small: SMALL_MODEL, full: FULL_MODEL },
    results,
    table: [['', 'MB'], ...results.map(({ name, peakBytes }) => [name, (peakBytes / 1e6).toFixed(2)])],
    skipped: [],
    controls: [],
    bars: [
      makeBar('peak with 1 × 1 cycles against 8 × 8', peakAt(FEW), peakAt(MANY), 'bytes', 1),
      makeBar('peak with M = 2 against M = 16', peakAt(TWO), peakAt(SIXTEEN), 'bytes', 1),
      makeBar('growth of the peak from batch 8 to 16, twice, against 16 to 32', ...growths, 'bytes', 0.999),
    ],
  };
}

async function peakOf(device: Device, config: ModelConfig, rows: number): Promise<number> {
  device.trim();
  device.resetPeakMemory();
  const call = await trainingCallOf(device, config, rows);
  call.run();
  await device.stream.finish();
  const { peakBytes } = device.memory;
  call.dispose();
  return peakBytes;
}
