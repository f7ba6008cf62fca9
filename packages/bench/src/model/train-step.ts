import { type Device, Philox } from '@hrm-webgpu/core';
import type { ModelConfig } from 'hrm-webgpu';
import { bestMatmulRate, matmulProbes } from '../kernels/matmul-rate.ts';
import { type Benchmark, type BenchmarkContext, roundsOf } from '../report/benchmark.ts';
import { timeWithControl } from '../report/control.ts';
import { type Bar, makeBar, type Report, type Result } from '../report/report.ts';
import { type Measured, measured } from '../timing/measured.ts';
import { modelTable, profile, skippedProfile } from '../timing/profile-table.ts';
import { significant } from '../timing/table.ts';
import { type Calibrated, calibrate, deviceStopwatch, quickest } from '../timing/timing.ts';
import { essentialFlops, FULL_MODEL, SMALL_MODEL, trainingCallOf } from './hrm-cases.ts';
import type { TrainingCall } from './training-call.ts';

const ROUNDS = { fewest: 7, most: 21, ms: 150_000 };
const SEED = 1;

/** What is timed: a model and a batch. */
interface Subject {
  name: string;
  part: Part;
  config: ModelConfig;
  rows: number;
}

type Part = 'full' | 'batch' | 'cycles' | 'first-call';
const PARTS: readonly Part[] = ['full', 'batch', 'cycles', 'first-call'];

const cycles = (count: number) => ({ ...SMALL_MODEL, H_cycles: count, L_cycles: count });

const FULL: Subject = { name: 'full model, batch 2', part: 'full', config: FULL_MODEL, rows: 2 };
const BATCH_8: Subject = { name: 'hidden 128, batch 8', part: 'batch', config: SMALL_MODEL, rows: 8 };
const BATCH_64: Subject = { name: 'hidden 128, batch 64', part: 'batch', config: SMALL_MODEL, rows: 64 };
const FEW: Subject = {
  name: 'hidden 128, batch 4, 1 × 1 cycles',
  part: 'cycles',
  config: cycles(1),
  rows: 4,
};
const MANY: Subject = {
  name: 'hidden 128, batch 4, 4 × 4 cycles',
  part: 'cycles',
  config: cycles(4),
  rows: 4,
};
const SUBJECTS = [FULL, BATCH_8, BATCH_64, FEW, MANY];

/** t(batch 64) / t(batch 8): 8 times the work, and 15 % for what a larger batch costs the caches. */
const BATCH_GROWTH = 9.2;
/** Time against block applications, as cycles grow. */
const CYCLE_GROWTH = 1.15;
const MATMUL_SHARE = 0.6;

/** The first call, timed. */
export interface FirstCall extends Result {
  seconds: number;
}

/** Times the first call of hidden 128, batch 16, in surroundings of its own. */
export type TimeFirstCall = (device: Device, note: (text: string) => void) => FirstCall;

/** @param timeFirstCall absent where nothing can be started afresh */
export const trainStep = (timeFirstCall?: TimeFirstCall): Benchmark => ({
  name: 'train-step',
  summary: 'one training call of the full and of a small model: rate, batch, cycles, first call',
  parts: timeFirstCall ? PARTS : PARTS.filter((part) => part !== 'first-call'),
  quickParts: timeFirstCall ? ['cycles', 'first-call'] : ['cycles'],
  duration: { full: 300, quick: 40 },
  description: [
    'Replays a recorded training call (forward, one-step gradient, losses, the extra segment for the target of q_continue;',
    'no optimiser). GFLOP/s count matrix products and attention; their share of the best rate of our own matrix products,',
    'timed in the same rounds, is a bar. So are the growth with the batch and with the number of cycles. The time of the',
    "very first call of hidden 128, batch 16, in a new process without Mesa's shader cache (initial weights, recording and",
    'compiling included) is shown. What a call computes is compared with the published implementation by npm test.',
    `Parts: ${PARTS.join(', ')}.`,
  ].join('\n'),
  run: (context) => run(context, timeFirstCall),
});

async function run(context: BenchmarkContext, timeFirstCall?: TimeFirstCall): Promise<Report> {
  const { device, parts, note } = context;
  // First, since a process of its own is slowed by nothing that goes on here.
  const first = timeFirstCall && parts.includes('first-call') ? [timeFirstCall(device, note)] : [];
  const shown = first.map((result) => shownFirstCall(device, result));
  const subjects = SUBJECTS.filter(({ part }) => parts.includes(part));
  const report = {
    title: 'a training call, recorded and replayed',
    settings: { full: FULL_MODEL, small: SMALL_MODEL, parts, seed: SEED },
  };
  if (subjects.length === 0)
    return { ...report, results: first, table: [['']], shown, skipped: [], controls: [], bars: [] };
  const timed = await timeCalls(context, subjects);
  return { ...report, ...timed, results: [...first, ...timed.results], shown };
}

async function timeCalls({ device, form, note }: BenchmarkContext, subjects: readonly Subject[]) {
  const stopwatch = deviceStopwatch(device);
  const probes = matmulProbes(device);
  const calls: TrainingCall[] = [];
  const entries: Calibrated[] = [];
  for (const candidate of probes.candidates) entries.push(await calibrate(candidate, stopwatch));
  for (const { name, config, rows } of subjects) {
    note(`recording: ${name}…`);
    const call = await trainingCallOf(device, config, rows);
    calls.push(call);
    entries.push(await calibrate({ name, run: call.run }, stopwatch));
  }
  const random = new Philox(SEED, 0);
  const controlled = quickest(entries);
  const limits = roundsOf(form, ROUNDS);
  const { timed, control } = await timeWithControl(entries, controlled, stopwatch, limits, random, note);
  const flops = [
    ...probes.candidates.map(({ flops }) => flops),
    ...calls.map(({ plan }) => essentialFlops(plan)),
  ];
  const best = bestMatmulRate(probes.candidates, timed);
  const results = timed.map((entry, i) => measured(entry, flops[i]));
  const times = await profile(device, calls[0].run, 2, results[probes.candidates.length]);
  probes.dispose();
  for (const call of calls) call.dispose();
  return {
    results,
    table: modelTable(results, best, times),
    profile: times,
    skipped: skippedProfile(times),
    controls: [control],
    bars: growthBars(subjects, results.slice(probes.candidates.length), best),
  };
}

function growthBars(subjects: readonly Subject[], results: readonly Measured[], best: number): Bar[] {
  const bars: Bar[] = [];
  const at = (subject: Subject) => subjects.indexOf(subject);
  if (at(FULL) >= 0) {
    const name = `${FULL.name}: share of our best matmul rate`;
    bars.push(makeBar(name, results[at(FULL)].gflops, best, 'GFLOP/s', MATMUL_SHARE));
  }
  if (at(BATCH_64) >= 0) {
    const growth = results[at(BATCH_64)].medianMs / results[at(BATCH_8)].medianMs;
    bars.push(
      makeBar('time of batch 64 over batch 8: allowed against measured', BATCH_GROWTH, growth, '×', 1),
    );
  }
  if (at(MANY) >= 0) {
    const [few, many] = [at(FEW), at(MANY)];
    const time = results[many].medianMs / results[few].medianMs;
    const work = blockApplications(MANY.config) / blockApplications(FEW.config);
    const name = 'cycles 4 × 4 over 1 × 1: growth of block applications, and 15 %, against that of the time';
    bars.push(makeBar(name, CYCLE_GROWTH * work, time, '×', 1));
  }
  return bars;
}

/** Blocks run in a training call: two segments forward, and the last step of each module backward, which counts twice. */
function blockApplications({ H_cycles, L_cycles, H_layers, L_layers }: ModelConfig): number {
  return 2 * H_cycles * (L_cycles * L_layers + H_layers) + 2 * (H_layers + L_layers);
}

function shownFirstCall({ adapter }: Device, { name, seconds }: FirstCall): string {
  const caveat = adapter.class === 'software' ? '' : " (the driver's cache is out of reach)";
  return `${name}, recording and compiling everything: ${significant(seconds)} s${caveat}`;
}
