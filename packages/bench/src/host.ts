import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Benchmark, BenchmarkContext } from './benchmark.ts';
import { TINY_MODEL, trainingCallOf } from './hrm-cases.ts';
import { makeBar, type Report, significant } from './report.ts';
import { median, quantile } from './statistics.ts';

const STEPS = 10_000;
/** Steps at the beginning and at the end whose host times are compared. */
const SPAN = 1000;
const GOAL_US = 4;
/** A heap is never still: what 10,000 steps may add to it. One object of 100 bytes a step would be 1 MB. */
const HEAP_SLACK = 0.5e6;

export const hostBenchmark: Benchmark = {
  name: 'host',
  summary: `what the host does for a dispatch in replay, over ${STEPS} steps of a tiny model`,
  description: [
    `Replays a recorded training call of a tiny model ${STEPS} times and times the host's part of each: encoding and`,
    'submitting, while the GPU is idle. Bars: microseconds a dispatch; the last steps take no longer than the first;',
    'GPU memory and the JavaScript heap stay as they are. Medians of thousands of short times: no control is needed.',
  ].join('\n'),
  run,
};

async function run({ device, note }: BenchmarkContext): Promise<Report> {
  const call = await trainingCallOf(device, TINY_MODEL, 4);
  const { plan } = call;
  for (let i = 0; i < 50; i++) call.run();
  await device.stream.finish();
  const before = { bytes: device.memory.totalBytes, heap: heapUsed() };
  note(`replaying ${STEPS} times ${plan.dispatches} dispatches…`);
  const hostUs = new Float64Array(STEPS);
  for (let step = 0; step < STEPS; step++) {
    const start = performance.now();
    call.run();
    hostUs[step] = 1000 * (performance.now() - start);
    await device.stream.submitted(); // a software adapter would take the host's processor away
  }
  await device.stream.finish();
  const after = { bytes: device.memory.totalBytes, heap: heapUsed() };
  const { dispatches } = plan;
  call.dispose();

  const perDispatch = (steps: Float64Array) => median([...steps]) / dispatches;
  const all = perDispatch(hostUs);
  const first = perDispatch(hostUs.subarray(0, SPAN));
  const last = perDispatch(hostUs.subarray(STEPS - SPAN));
  const spread = [0.25, 0.75].map((q) => quantile([...hostUs], q) / dispatches);
  return {
    title: `the host's part of a replay, ${dispatches} dispatches`,
    settings: { steps: STEPS, dispatches, model: TINY_MODEL },
    results: [{ name: 'replay', usPerDispatch: all, first, last, quartiles: spread, before, after }],
    table: [
      ['', 'µs a dispatch', 'middle half'],
      ['all steps', significant(all), spread.map(significant).join('–')],
      [`first ${SPAN}`, significant(first), ''],
      [`last ${SPAN}`, significant(last), ''],
    ],
    skipped: [],
    controls: [],
    bars: [
      makeBar(`${GOAL_US} µs against the host's time for a dispatch`, GOAL_US, all, 'µs', 1),
      makeBar('first steps against last', first, last, 'µs', 0.9),
      makeBar('GPU memory before against after', before.bytes, after.bytes, 'bytes', 1),
      makeBar('JavaScript heap, with slack, against after', before.heap + HEAP_SLACK, after.heap, 'bytes', 1),
    ],
  };
}

/** Bytes in use after a full collection. */
function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}
