import { Philox } from '@hrm-webgpu/core';
import { bestMatmulRate, matmulProbes } from '../kernels/matmul-rate.ts';
import { type Benchmark, type BenchmarkContext, roundsOf } from '../report/benchmark.ts';
import { timeWithControl } from '../report/control.ts';
import { makeBar, type Report } from '../report/report.ts';
import { measured } from '../timing/measured.ts';
import { modelTable, profile, skippedProfile } from '../timing/profile-table.ts';
import { calibrate, deviceStopwatch, quickest } from '../timing/timing.ts';
import { essentialFlops, FULL_MODEL, type Segments, segmentsOf } from './hrm-cases.ts';

const ROUNDS = { fewest: 11, most: 41, ms: 60_000 };
const SEED = 1;
/** Puzzles at a time: one person's, the size of the bar, a batch. */
const BATCHES = [1, 2, 8];
/** The batch that the bar is for. */
const BAR = { batch: 2, goal: 0.7 };

export const inferBenchmark: Benchmark = {
  name: 'infer',
  summary: `one segment of the full-size model forward, ${BATCHES.join(', ')} puzzles at a time`,
  parts: BATCHES.map(String),
  quickParts: ['1'],
  duration: { full: 240, quick: 40 },
  description: [
    'Replays one recorded segment (H_cycles × L_cycles steps of both modules) of the 27 M model on 9×9 Sudoku. GFLOP/s count',
    'matrix products and attention only; they are compared with the best rate of our own matrix products, timed in the',
    `same rounds. Parity with the published implementation is checked by npm test. Parts: ${BATCHES.join(', ')}.`,
  ].join('\n'),
  run,
};

const labelOf = (batch: string) => `segment, ${batch} ${batch === '1' ? 'puzzle' : 'puzzles'}`;

async function run({ device, parts, form, note }: BenchmarkContext): Promise<Report> {
  const stopwatch = deviceStopwatch(device);
  const probes = matmulProbes(device);
  const models: Segments[] = [];
  for (const part of parts) {
    note(`recording: ${labelOf(part)}…`);
    models.push(await segmentsOf(device, FULL_MODEL, Number(part)));
  }
  const candidates = [
    ...probes.candidates,
    ...models.map(({ run }, i) => ({ name: labelOf(parts[i]), run })),
  ];
  const entries = [];
  for (const candidate of candidates) entries.push(await calibrate(candidate, stopwatch));
  const controlled = quickest(entries);
  const random = new Philox(SEED, 0);
  const limits = roundsOf(form, ROUNDS);
  const { timed, control } = await timeWithControl(entries, controlled, stopwatch, limits, random, note);
  const best = bestMatmulRate(probes.candidates, timed);
  const results = timed.map((entry, i) => {
    const model = models[i - probes.candidates.length];
    return measured(entry, model ? essentialFlops(model.plan) : probes.candidates[i].flops);
  });
  const last = models[models.length - 1];
  const times = await profile(device, last.run, 3, results[results.length - 1]);
  probes.dispose();
  for (const model of models) model.dispose();
  const bars = results.flatMap(({ name, gflops }) =>
    name === labelOf(String(BAR.batch))
      ? [makeBar(`${name}: share of our best matmul rate`, gflops, best, 'GFLOP/s', BAR.goal)]
      : [],
  );
  return {
    title: 'one segment of the 27 M model, forward',
    settings: { model: FULL_MODEL, batches: parts.map(Number), seed: SEED },
    results,
    table: modelTable(results, best, times),
    profile: times,
    skipped: skippedProfile(times),
    controls: [control],
    bars,
  };
}
