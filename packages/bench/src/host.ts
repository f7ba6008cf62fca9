import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Device, Tensor } from '@hrm-webgpu/core';
import { launch } from '@hrm-webgpu/kernels';
import { FMA_STARTS, FMA_TURN, rooflineFma } from '@hrm-webgpu/kernels/defs/roofline_fma';
import { TINY_MODEL, trainingCallOf } from './model/hrm-cases.ts';
import type { Benchmark, BenchmarkContext } from './report/benchmark.ts';
import { makeBar, type Report } from './report/report.ts';
import { quantile } from './timing/statistics.ts';
import { significant } from './timing/table.ts';

const STEPS = 10_000;
/** Steps at the beginning and at the end whose host times are compared. */
const SPAN = 2500;
/** Steps queued behind each other, as a training does it that runs ahead of the GPU. */
const AHEAD = 8;
const GOAL_US = 4;
/** A heap is never still: what 10,000 steps may add to it. One object of 100 bytes a step would be 1 MB. */
const HEAP_SLACK = 0.5e6;
/** Elements of a workgroup's worth of roofline_fma. */
const WORKGROUP = 256;
/** How long the GPU is kept busy meanwhile. */
const BUSY_MS = 30;

export const hostBenchmark: Benchmark = {
  name: 'host',
  summary: `what the host does for a dispatch in replay, over ${STEPS} steps of a tiny model`,
  description: [
    `Replays a recorded training call of a tiny model ${STEPS} times, ${AHEAD} in a row, and times the host's part of each:`,
    'encoding and submitting. Meanwhile a single workgroup keeps the GPU busy, so that a software adapter, which would',
    "otherwise take the host's processor away, leaves it a core. Bars: microseconds a dispatch; the last steps take no",
    'longer than the first; GPU memory and the JavaScript heap stay as they are. Medians of thousands of short times: no',
    'control is needed.',
  ].join('\n'),
  run,
};

async function run({ device, note }: BenchmarkContext): Promise<Report> {
  const call = await trainingCallOf(device, TINY_MODEL, 4);
  const { plan } = call;
  const occupier = await makeOccupier(device);
  for (let i = 0; i < 50; i++) call.run();
  await device.stream.finish();
  const before = { bytes: device.memory.totalBytes, heap: heapUsed() };
  note(`replaying ${STEPS} times ${plan.dispatches} dispatches…`);
  const hostUs = new Float64Array(STEPS);
  for (let step = 0; step < STEPS; step++) {
    if (step % AHEAD === 0) {
      await device.stream.submitted();
      occupier.run();
    }
    const start = performance.now();
    call.run();
    hostUs[step] = 1000 * (performance.now() - start);
  }
  await device.stream.finish();
  const after = { bytes: device.memory.totalBytes, heap: heapUsed() };
  const { dispatches } = plan;
  call.dispose();
  occupier.dispose();
  return hostReport(hostUs, dispatches, before, after);
}

/** Memory in use. */
interface Memory {
  /** On the GPU. */
  bytes: number;
  /** Of JavaScript. */
  heap: number;
}

/** The report on the host's part of each step, and on the memory before and after them. */
export function hostReport(hostUs: Float64Array, dispatches: number, before: Memory, after: Memory): Report {
  const spans = {
    'all steps': hostUs,
    'the first after waiting': hostUs.filter((_, step) => step % AHEAD === 0),
    [`first ${SPAN}`]: hostUs.subarray(0, SPAN),
    [`last ${SPAN}`]: hostUs.subarray(STEPS - SPAN),
  };
  const results = Object.entries(spans).map(([name, steps]) => ({
    name,
    usPerDispatch: [0.1, 0.25, 0.5, 0.75].map((q) => quantile([...steps], q) / dispatches),
  }));
  const [all, , first, last] = results.map(({ usPerDispatch }) => usPerDispatch);
  const memory = { name: 'memory', before, after };
  return {
    title: `the host's part of a replay, ${dispatches} dispatches`,
    settings: { steps: STEPS, ahead: AHEAD, dispatches, model: TINY_MODEL },
    results: [...results, memory],
    table: [
      ['µs a dispatch', 'fastest tenth', 'faster quarter', 'median', 'slower quarter'],
      ...results.map(({ name, usPerDispatch }) => [name, ...usPerDispatch.map(significant)]),
    ],
    skipped: [],
    controls: [],
    bars: [
      makeBar(`${GOAL_US} µs against the host's time for a dispatch`, GOAL_US, all[2], 'µs', 1),
      makeBar('first steps against last', first[0], last[0], 'µs', 0.9),
      makeBar('GPU memory before against after', before.bytes, after.bytes, 'bytes', 1),
      makeBar('JavaScript heap, with slack, against after', before.heap + HEAP_SLACK, after.heap, 'bytes', 1),
    ],
  };
}

/** Something that keeps the GPU busy for about {@link BUSY_MS}, in a single workgroup. */
async function makeOccupier(device: Device) {
  const starts = Tensor.from(device, new Float32Array(FMA_STARTS));
  const y = Tensor.empty(device, [WORKGROUP]);
  const work = (fmas: number) => {
    launch(device, rooflineFma, { starts, y }, { length: WORKGROUP, fmas, a: 0.5, b: 0.25 });
    device.stream.flush();
  };
  let fmas = FMA_TURN;
  for (let ms = 0; ms < BUSY_MS; ) {
    fmas *= 2;
    work(fmas);
    await device.stream.finish(); // what compiling takes does not count
    const start = performance.now();
    work(fmas);
    await device.stream.finish();
    ms = performance.now() - start;
  }
  return {
    run: () => work(fmas),
    dispose() {
      starts.dispose();
      y.dispose();
    },
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
