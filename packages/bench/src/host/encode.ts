import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Device, Tensor } from '@hrm-webgpu/core';
import { launch } from '@hrm-webgpu/kernels';
import { FMA_STARTS, FMA_TURN, typedChecks } from '@hrm-webgpu/kernels/checks';
import { dispatchesOf, TINY_MODEL, trainingCallOf } from '../model/hrm-cases.ts';
import type { BenchmarkContext } from '../report/benchmark.ts';
import { makeBar, type Report } from '../report/report.ts';
import { medianOfRatios, quantile } from '../timing/statistics.ts';
import { significant } from '../timing/table.ts';
import { plainReplay } from './plain-replay.ts';

const STEPS = { full: 10_000, quick: 1000 };
/** The share of the steps at the beginning and at the end whose host times are compared. */
const SPAN = 1 / 4;
/** Steps queued behind each other, as a training does it that runs ahead of the GPU. */
const AHEAD = 8;
/** What a replay may take, as a multiple of the same dispatches in plain WebGPU. */
const GOAL = 1.4;
/** A heap is never still: what 10,000 steps may add to it. One object of 100 bytes a step would be 1 MB. */
const HEAP_SLACK = 0.5e6;
/** Elements of a workgroup's worth of roofline_fma. */
const WORKGROUP = 256;
/** How long the GPU is kept busy meanwhile. */
const BUSY_MS = 30;

export const encodeDescription = [
  `encode: replays a recorded training call of a tiny model ${STEPS.full} times, ${AHEAD} in a row, and times the host's part of each:`,
  'encoding and submitting. By turns with the floor, which is the same dispatches encoded and submitted by plain WebGPU',
  'calls. Meanwhile a single workgroup keeps the GPU busy, so that a software adapter, which would otherwise take the',
  "host's processor away, leaves it a core. Bars: against the floor; the last steps take no longer than the first; GPU",
  'memory and the JavaScript heap stay as they are. Medians of thousands of short times: no control is needed.',
].join('\n');

export async function encodeReport({ device, form, note }: BenchmarkContext): Promise<Report> {
  const steps = STEPS[form];
  const { submitMs } = device;
  device.submitMs = Number.POSITIVE_INFINITY; // a submit a step, as the floor has it
  const call = await trainingCallOf(device, TINY_MODEL, 4);
  const { plan } = call;
  const floor = plainReplay(device.gpu, plan);
  const occupier = await makeOccupier(device);
  for (let i = 0; i < 50; i++) {
    call.run();
    floor();
    await device.stream.ready();
  }
  await device.stream.finish();
  const before = { bytes: device.memory.totalBytes, heap: heapUsed() };
  const dispatches = dispatchesOf(plan);
  note(`replaying ${steps} times ${dispatches} dispatches…`);
  const hostUs = new Float64Array(steps);
  const floorUs = new Float64Array(steps);
  const time = (run: () => void, into: Float64Array, step: number) => {
    const start = performance.now();
    run();
    into[step] = 1000 * (performance.now() - start);
  };
  for (let step = 0; step < steps; step++) {
    if (step % AHEAD === 0) {
      await device.stream.finish();
      occupier.run();
    }
    if (step % 2 === 0) time(floor, floorUs, step);
    time(call.run, hostUs, step);
    if (step % 2 === 1) time(floor, floorUs, step);
    if (device.stream.submits.full)
      throw new Error('a replay had to wait for the GPU: its time is not all there');
  }
  await device.stream.finish();
  const after = { bytes: device.memory.totalBytes, heap: heapUsed() };
  call.dispose();
  occupier.dispose();
  device.submitMs = submitMs;
  return hostReport({ hostUs, floorUs }, dispatches, before, after);
}

/** Memory in use. */
interface Memory {
  /** On the GPU. */
  bytes: number;
  /** Of JavaScript. */
  heap: number;
}

/** Microseconds of each step. */
interface StepTimes {
  hostUs: Float64Array;
  floorUs: Float64Array;
}

/** The report on the host's part of each step, and on the memory before and after them. */
export function hostReport(
  { hostUs, floorUs }: StepTimes,
  dispatches: number,
  before: Memory,
  after: Memory,
): Report {
  const steps = hostUs.length;
  const span = steps * SPAN;
  const spans = {
    'all steps': hostUs,
    'the floor': floorUs,
    'the first after waiting': hostUs.filter((_, step) => step % AHEAD === 0),
    [`first ${span}`]: hostUs.subarray(0, span),
    [`last ${span}`]: hostUs.subarray(steps - span),
  };
  const results = Object.entries(spans).map(([name, steps]) => ({
    name,
    usPerDispatch: [0.1, 0.25, 0.5, 0.75].map((q) => quantile([...steps], q) / dispatches),
  }));
  const [all, floor, , first, last] = results.map(({ usPerDispatch }) => usPerDispatch);
  const { ratio } = medianOfRatios([...hostUs], [...floorUs]);
  const memory = { name: 'memory', before, after };
  return {
    title: `the host's part of a replay, ${dispatches} dispatches`,
    settings: { steps, ahead: AHEAD, dispatches, model: TINY_MODEL },
    results: [...results, memory],
    table: [
      ['µs a dispatch', 'fastest tenth', 'faster quarter', 'median', 'slower quarter'],
      ...results.map(({ name, usPerDispatch }) => [name, ...usPerDispatch.map(significant)]),
    ],
    skipped: [],
    controls: [],
    bars: [
      makeBar(`${GOAL} × the floor against the host's time`, GOAL * floor[2], all[2], 'µs', 1, GOAL / ratio),
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
    launch(
      device,
      typedChecks.roofline_fma.kernel,
      { starts, y },
      { length: WORKGROUP, fmas, a: 0.5, b: 0.25 },
    );
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
