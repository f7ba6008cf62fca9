import { Philox } from '@hrm-webgpu/core';
import { dispatchesOf, FULL_MODEL, SMALL_MODEL, trainingCallOf } from '../model/hrm-cases.ts';
import { type BenchmarkContext, roundsOf } from '../report/benchmark.ts';
import { timeGroupsWithControl } from '../report/control.ts';
import { makeBar, type Report } from '../report/report.ts';
import { measured } from '../timing/measured.ts';
import { medianOfRatios, quantile } from '../timing/statistics.ts';
import { significant } from '../timing/table.ts';
import { calibrate, deviceStopwatch } from '../timing/timing.ts';

/** A call of some hundred milliseconds on a software adapter, and more than that on any GPU at its slowest. */
const CALL = {
  software: { config: SMALL_MODEL, rows: 4 },
  gpu: { config: FULL_MODEL, rows: 32 },
} as const;
/** What a call may take that is cut, as a multiple of the same in one submit. */
const GOAL = 1.02;
const ROUNDS = { fewest: 25, most: 250, ms: 120_000 };
const SEED = 1;

export const cutDescription = [
  'cut: a training call in submits of `submitMs`, the default, by turns with the same in one submit. Bar: what cutting',
  'adds to its time.',
].join('\n');

export async function cutReport({ device, form, note }: BenchmarkContext): Promise<Report> {
  const { config, rows } = CALL[device.adapter.class];
  const { submitMs } = device;
  const call = await trainingCallOf(device, config, rows);
  const candidate = (name: string, ms: number) => ({
    name,
    run() {
      device.submitMs = ms; // until the next candidate: what runs now is cut as it goes
      call.run();
    },
  });
  const stopwatch = deviceStopwatch(device);
  const pieces = await calibrate(candidate(`in submits of ${submitMs} ms`, submitMs), stopwatch);
  const whole = await calibrate(candidate('in one submit', Number.POSITIVE_INFINITY), stopwatch);
  const { timed, control } = await timeGroupsWithControl(
    [[pieces, whole]],
    whole,
    stopwatch,
    roundsOf(form, ROUNDS),
    new Philox(SEED, 0),
    note,
  );
  const [inPieces, inOne] = timed.map(({ samplesMs }) => samplesMs);
  const { ratio, low, high } = medianOfRatios(inPieces, inOne);
  device.submitMs = submitMs;
  const dispatches = dispatchesOf(call.plan);
  call.dispose();
  return {
    title: `a call of ${dispatches} dispatches, submitted in pieces`,
    settings: { submitMs, cutModel: config, cutRows: rows },
    results: timed.map((entry) => measured(entry, 0)),
    table: [
      ['ms a call', 'fastest tenth', 'faster quarter', 'median', 'slower quarter'],
      ...timed.map(({ candidate: { name }, samplesMs }) => [
        name,
        ...[0.1, 0.25, 0.5, 0.75].map((q) => significant(quantile(samplesMs, q))),
      ]),
    ],
    skipped: [],
    controls: [control],
    bars: [
      makeBar(
        `${GOAL} × the time in one submit against that in pieces (${low.toFixed(3)} to ${high.toFixed(3)} ×)`,
        GOAL,
        ratio,
        '×',
        1,
      ),
    ],
  };
}
