import { type Device, Philox } from '@hrm-webgpu/core';
import type { Benchmark, BenchmarkContext } from '../report/benchmark.ts';
import { type ControlledTimes, timeWithControl } from '../report/control.ts';
import { type Bar, makeBar, type Report } from '../report/report.ts';
import { gpuShare } from '../timing/gpu-time.ts';
import { type KernelRun, prepareKernel } from '../timing/kernel-run.ts';
import { type Measured, measured, measuredCells } from '../timing/measured.ts';
import { prepareRoofline, type Roofline, type RooflineShare, rooflineShare } from '../timing/roofline.ts';
import { significant } from '../timing/table.ts';
import { type Calibrated, calibrate, deviceStopwatch, type Timed } from '../timing/timing.ts';
import { FULL_SIZE, KERNEL_PARTS, kernelCases, type PartCase } from './kernel-cases.ts';

const ROUNDS = { fewest: 15, most: 41, ms: 60_000 };
const SEED = 1;
/** Philox streams of the run's seed. */
const STREAMS = { order: 0, inputs: 1 };

/** A kernel timed. */
interface Result extends Measured, RooflineShare {
  gbs: number;
  /** Of the time, spent in kernels by timestamps; absent where the adapter has none. */
  gpuShare?: number;
}

export const kernelsBenchmark: Benchmark = {
  name: 'kernels',
  summary: 'every kernel of a full-size training call, against the roofline of the adapter',
  parts: KERNEL_PARTS,
  description: [
    'Times each kernel of a training call of the full-size model (hidden 512, 8 heads, 8 puzzles of 82 positions) at',
    "its shapes there, after a comparison with float64. 'roof' is the least time that the adapter's arithmetic (FMA) or",
    'memory (mem) allows, over the time taken; both are measured in the same rounds. Above 100 %, caches beat the',
    "memory. 'host ms' is what a run takes beyond the time in kernels, by timestamps: encoding, submitting, starting.",
    `Parts: ${KERNEL_PARTS.join(', ')}.`,
    'Bars: each matrix product reaches 30 % of the FMA peak; the FMA peak of a software adapter is no straw man.',
  ].join('\n'),
  run,
};

async function run({ device, parts, note }: BenchmarkContext): Promise<Report> {
  const stopwatch = deviceStopwatch(device);
  const cases = kernelCases(device).filter(({ part }) => parts.includes(part));
  note('verifying the microbenchmarks of the roofline, and choosing the fastest…');
  const probes = await prepareRoofline(device, stopwatch, SEED);
  note(`verifying ${cases.length} kernels against float64…`);
  const runs: KernelRun[] = [];
  const entries: Calibrated[] = [];
  for (const [index, kernelCase] of cases.entries()) {
    runs.push(await prepareKernel(device, kernelCase, new Philox(SEED, STREAMS.inputs + index)));
    entries.push(await calibrate(runs[index], stopwatch));
  }
  const all = [...probes.entries, ...entries];
  const random = new Philox(SEED, STREAMS.order);
  const times = await timeWithControl(all, probes.entries[0], stopwatch, ROUNDS, random, note);
  const shares: (number | undefined)[] = [];
  for (const entry of all) shares.push(await gpuShare(device, entry, stopwatch));
  const roofline = probes.evaluate(times.timed);
  probes.dispose();
  for (const { dispose } of runs) dispose();
  const work = [...probes.work, ...runs];
  const results = times.timed.map((timed, i) => resultOf(timed, work[i], shares[i], roofline));
  return reportOf(device, cases, results, roofline, times);
}

function resultOf(
  timed: Timed,
  work: { flops: number; bytes: number },
  gpuShare: number | undefined,
  roofline: Roofline,
): Result {
  const result = measured(timed, work.flops);
  const { medianMs } = result;
  return {
    ...result,
    gbs: work.bytes / medianMs / 1e6,
    ...rooflineShare(work, medianMs, roofline),
    gpuShare,
  };
}

function reportOf(
  device: Device,
  cases: readonly PartCase[],
  results: readonly Result[],
  roofline: Roofline,
  { control }: ControlledTimes,
): Report {
  const bars = results.slice(-cases.length).flatMap(({ name, gflops }, i) => {
    if (cases[i].part !== 'matmul') return [];
    return [makeBar(`${name} of the FMA peak`, gflops, roofline.fmaGflops, 'GFLOP/s', 0.3)];
  });
  const header = ['', 'ms', 'middle half', 'GFLOP/s', 'GB/s', 'roof', 'host ms'];
  return {
    title: `kernels of a full-size training call, ${FULL_SIZE.batch} × ${FULL_SIZE.positions} positions`,
    settings: { ...FULL_SIZE, parts: [...new Set(cases.map(({ part }) => part))], seed: SEED },
    results,
    table: [header, ...results.map(formatResult)],
    roofline,
    skipped: results.some(({ gpuShare }) => gpuShare !== undefined)
      ? []
      : ["host ms: this adapter has no 'timestamp-query'"],
    controls: [control],
    bars: [...bars, ...peakBars(device, roofline)],
  };
}

/**
 * A low peak would make every share of it look good. What a GPU can do is not known here, but two cores of the machines
 * that software adapters are tested on reach this; judged by the faster quarter of the samples.
 */
export function peakBars({ adapter }: Pick<Device, 'adapter'>, { fmaGflopsUndisturbed }: Roofline): Bar[] {
  if (adapter.class !== 'software') return [];
  return [makeBar('FMA peak of a software adapter on two cores', fmaGflopsUndisturbed, 45, 'GFLOP/s', 1)];
}

function formatResult(result: Result): string[] {
  const { medianMs, gflops, gbs, share, bound, gpuShare } = result;
  const [name, ms, spread] = measuredCells(result);
  return [
    name,
    ms,
    spread,
    gflops.toFixed(1), // kernels that compute next to nothing would get more digits than the others
    gbs.toFixed(1),
    `${(100 * share).toFixed(0)} % ${bound === 'arithmetic' ? 'FMA' : 'mem'}`,
    gpuShare === undefined ? '–' : significant((1 - gpuShare) * medianMs),
  ];
}
