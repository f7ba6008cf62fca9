/** Kernels timed beside the microbenchmarks of the roofline. */
import { Philox } from '@hrm-webgpu/core';
import { type BenchmarkContext, roundsOf } from '../report/benchmark.ts';
import { timeWithControl } from '../report/control.ts';
import type { Report } from '../report/report.ts';
import { gpuShare } from '../timing/gpu-time.ts';
import { type KernelCase, type KernelRun, prepareKernel } from '../timing/kernel-run.ts';
import { type Measured, measured, measuredCells } from '../timing/measured.ts';
import { prepareRoofline, type Roofline, type RooflineShare, rooflineShare } from '../timing/roofline.ts';
import { significant } from '../timing/table.ts';
import { type Calibrated, calibrate, deviceStopwatch, type Timed } from '../timing/timing.ts';

const ROUNDS = { fewest: 15, most: 41, ms: 60_000 };
export const SEED = 1;
/** Philox streams of the run's seed. */
const STREAMS = { order: 0, inputs: 1 };

/** A kernel timed. */
export interface KernelResult extends Measured, RooflineShare {
  gbs: number;
  /** Of the time, spent in kernels by timestamps; absent where the adapter has none. */
  gpuShare?: number;
}

/** How results of kernels are to be read, for `--help`. */
export const COLUMNS_HELP = [
  "'roof' is the least time that the adapter's arithmetic (FMA) or memory (mem) allows, over the time taken; both are measured",
  "in the same rounds. Above 100 %, caches beat the memory. 'host ms' is what a run takes beyond the time in kernels, by",
  'timestamps: encoding, submitting, starting.',
].join('\n');

/** What a report has of the times of kernels. */
export interface KernelTimes extends Pick<Report, 'table' | 'skipped' | 'controls'> {
  /** The microbenchmarks first, then the kernels in the order of the cases. */
  results: readonly KernelResult[];
  roofline: Roofline;
}

/** Verifies the cases, and times them. */
export async function timeKernels(
  { device, form, note }: BenchmarkContext,
  cases: readonly KernelCase[],
): Promise<KernelTimes> {
  const stopwatch = deviceStopwatch(device);
  note('verifying the microbenchmarks of the roofline, and choosing the fastest…');
  const probes = await prepareRoofline(device, stopwatch, SEED);
  note(`verifying ${cases.length} ${cases.length === 1 ? 'kernel' : 'kernels'} against float64…`);
  const runs: KernelRun[] = [];
  const entries: Calibrated[] = [];
  for (const [index, kernelCase] of cases.entries()) {
    runs.push(await prepareKernel(device, kernelCase, new Philox(SEED, STREAMS.inputs + index)));
    entries.push(await calibrate(runs[index], stopwatch));
  }
  const all = [...probes.entries, ...entries];
  const random = new Philox(SEED, STREAMS.order);
  const limits = roundsOf(form, ROUNDS);
  const { timed, control } = await timeWithControl(all, probes.entries[0], stopwatch, limits, random, note);
  const shares: (number | undefined)[] = [];
  // Three times two samples of everything: not for a first look.
  if (form === 'full') for (const entry of all) shares.push(await gpuShare(device, entry, stopwatch));
  const roofline = probes.evaluate(timed);
  probes.dispose();
  for (const { dispose } of runs) dispose();
  const work = [...probes.work, ...runs];
  const results = timed.map((entry, i) => resultOf(entry, work[i], shares[i], roofline));
  return {
    results,
    roofline,
    table: [['', 'ms', 'middle half', 'GFLOP/s', 'GB/s', 'roof', 'host ms'], ...results.map(formatResult)],
    skipped:
      form === 'quick'
        ? ['host ms: only in the full form']
        : shares.some((share) => share !== undefined)
          ? []
          : ["host ms: this adapter has no 'timestamp-query'"],
    controls: [control],
  };
}

function resultOf(
  timed: Timed,
  work: { flops: number; bytes: number },
  gpuShare: number | undefined,
  roofline: Roofline,
): KernelResult {
  const result = measured(timed, work.flops);
  const { medianMs } = result;
  return {
    ...result,
    gbs: work.bytes / medianMs / 1e6,
    ...rooflineShare(work, medianMs, roofline),
    gpuShare,
  };
}

function formatResult(result: KernelResult): string[] {
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
