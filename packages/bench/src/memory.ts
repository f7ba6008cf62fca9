import type { Device } from '@hrm-webgpu/core';
import type { ModelConfig } from 'hrm-webgpu';
import type { Benchmark, BenchmarkContext } from './benchmark.ts';
import { FULL_MODEL, SMALL_MODEL, trainingCallOf } from './hrm-cases.ts';
import { type Bar, makeBar, type Report } from './report.ts';

/** Peak GPU memory of something. */
interface Result {
  name: string;
  peakBytes: number;
}

const BATCHES = [8, 16, 32];

export const memoryBenchmark: Benchmark = {
  name: 'memory',
  summary: 'peak GPU memory of training calls: cycles, segments, batch',
  description: [
    'Makes one recorded training call each and reports the largest sum of all GPU buffers at any time, weights and',
    'uploads included. Bars: the peak does not depend on the number of cycles or segments, and grows linearly with',
    'the batch. Nothing is timed, so there is no control.',
  ].join('\n'),
  run,
};

async function run({ device, note }: BenchmarkContext): Promise<Report> {
  const results: Result[] = [];
  const measure = async (name: string, config: ModelConfig, rows: number) => {
    note(`${name}…`);
    const peakBytes = await peakOf(device, config, rows);
    results.push({ name, peakBytes });
    return peakBytes;
  };
  const cycles = (count: number) => ({ ...SMALL_MODEL, H_cycles: count, L_cycles: count });
  const few = await measure('1 × 1 cycles, batch 8', cycles(1), 8);
  const many = await measure('8 × 8 cycles, batch 8', cycles(8), 8);
  const two = await measure('M = 2, batch 8', { ...SMALL_MODEL, halt_max_steps: 2 }, 8);
  const sixteen = await measure('M = 16, batch 8', { ...SMALL_MODEL, halt_max_steps: 16 }, 8);
  const peaks: number[] = [];
  for (const batch of BATCHES) peaks.push(await measure(`batch ${batch}`, SMALL_MODEL, batch));
  await measure('full model (27 M), batch 2', FULL_MODEL, 2);
  const bars: Bar[] = [
    makeBar('peak with 1 × 1 cycles against 8 × 8', few, many, 'bytes', 1),
    makeBar('peak with M = 2 against M = 16', two, sixteen, 'bytes', 1),
    // From 16 to 32 twice as much is added as from 8 to 16; buffers are rounded up to 256 bytes.
    makeBar(
      'growth of the peak from batch 8 to 16, twice, against 16 to 32',
      2 * (peaks[1] - peaks[0]),
      peaks[2] - peaks[1],
      'bytes',
      0.999,
    ),
  ];
  return {
    title: 'peak GPU memory of a training call, hidden 128 unless said otherwise',
    settings: { small: SMALL_MODEL, full: FULL_MODEL },
    results,
    table: [['', 'MB'], ...results.map(({ name, peakBytes }) => [name, (peakBytes / 1e6).toFixed(2)])],
    skipped: [],
    controls: [],
    bars,
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
