import { backward, type Device, Philox, Tensor } from '@hrm-webgpu/core';
import { attention, gradientRules, launch } from '@hrm-webgpu/kernels';
import { type AttentionParams, attentionInputs, builtinErrorsOf } from '@hrm-webgpu/kernels/checks';
import { type Benchmark, type BenchmarkContext, roundsOf } from '../report/benchmark.ts';
import { timeWithControl } from '../report/control.ts';
import { type Bar, makeBar, type Report } from '../report/report.ts';
import { type Measured, measured, measuredCells } from '../timing/measured.ts';
import { prepareRoofline } from '../timing/roofline.ts';
import { type Calibrated, type Candidate, calibrate, deviceStopwatch, type Timed } from '../timing/timing.ts';
import { checkAttention } from './attention-check.ts';
import { attentionChecks } from './kernel-cases.ts';

const BATCH = 2;
const HEADS = 8;
const HEAD_DIM = 64;
/** 9×9 Sudoku, what is no multiple of any tile, and 30×30 mazes and ARC. */
const LENGTHS = [82, 301, 901];
const ROUNDS = { fewest: 15, most: 61, ms: 60_000 };
const SEED = 1;
/** Philox streams of the run's seed. */
const STREAMS = { order: 0, inputs: 1 };

/** The pool rounds each of the two arrays (log_sum_exp, delta) up to so many bytes. */
const GRANULE = 256;

type Pass = 'forward' | 'backward' | 'both';

/** A pass at one length. */
interface Subject extends Candidate {
  length: number;
  pass: Pass;
  flops: number;
}

/** One length, verified, with its passes as candidates. */
interface Length {
  length: number;
  subjects: Subject[];
  /** Bytes at the peak beyond inputs, outputs and gradients. */
  extraBytes: number;
  dispose(): void;
}

export const attentionBenchmark: Benchmark = {
  name: 'attention',
  summary: `attention forward and backward, ${BATCH * HEADS} heads of ${HEAD_DIM}: ${LENGTHS.join(', ')} positions`,
  parts: LENGTHS.map(String),
  quickParts: ['82'],
  duration: { full: 240, quick: 30 },
  description: [
    `Times softmax attention, its gradient, and both in a row, for ${BATCH} × ${HEADS} heads of ${HEAD_DIM} numbers. Results are`,
    'compared with float64 first. FLOPs are those executed: the gradient computes scores anew. The memory at the peak',
    'beyond inputs, outputs and gradients must stay within 8 bytes a query and head (two numbers), and grow with the',
    `sequence, not its square. Parts: the lengths ${LENGTHS.join(', ')}.`,
  ].join('\n'),
  run,
};

async function run({ device, parts, form, note }: BenchmarkContext): Promise<Report> {
  const stopwatch = deviceStopwatch(device);
  note('verifying the microbenchmarks of the roofline, and choosing the fastest…');
  const probes = await prepareRoofline(device, stopwatch, SEED);
  const lengths: Length[] = [];
  const entries: Calibrated[] = [];
  for (const part of parts) {
    note(`verifying ${part} positions against float64…`);
    const length = await prepareLength(device, Number(part));
    lengths.push(length);
    for (const subject of length.subjects) entries.push(await calibrate(subject, stopwatch));
  }
  const random = new Philox(SEED, STREAMS.order);
  const all = [...probes.entries, ...entries];
  const limits = roundsOf(form, ROUNDS);
  const { timed, control } = await timeWithControl(all, probes.entries[0], stopwatch, limits, random, note);
  const roofline = probes.evaluate(timed);
  probes.dispose();
  for (const { dispose } of lengths) dispose();
  const subjects = lengths.flatMap(({ subjects }) => subjects);
  const extras = lengths.flatMap(({ extraBytes, subjects }) =>
    subjects.map(({ pass }) => (pass === 'both' ? extraBytes : undefined)),
  );
  const passes = timed.slice(probes.entries.length);
  const results = passes.map((entry, i) => resultOf(entry, subjects[i].flops, roofline.fmaGflops));
  const memory = lengths.map(({ length, extraBytes }) => ({ name: `${length} extra memory`, extraBytes }));
  return {
    title: `attention, ${BATCH * HEADS} heads of ${HEAD_DIM}`,
    settings: {
      batch: BATCH,
      heads: HEADS,
      headDim: HEAD_DIM,
      lengths: lengths.map(({ length }) => length),
      seed: SEED,
    },
    results: [...results, ...memory],
    table: [
      ['', 'ms', 'middle half', 'GFLOP/s', 'of FMA peak', 'extra bytes'],
      ...results.map((result, i) => formatResult(result, extras[i])),
    ],
    roofline,
    skipped: [],
    controls: [control],
    bars: memoryBars(lengths),
  };
}

async function prepareLength(device: Device, length: number): Promise<Length> {
  const params = { batch: BATCH, seq_len: length, heads: HEADS, head_dim: HEAD_DIM };
  const random = new Philox(SEED, STREAMS.inputs);
  const width = HEADS * HEAD_DIM;
  const qkv = Tensor.from(device, attentionInputs(params, random), [BATCH, length, 3 * width], true);
  const gradient = Float32Array.from({ length: BATCH * length * width }, () => 2 * random.uniform() - 1);
  const d_o = Tensor.from(device, gradient, [BATCH, length, width]);
  const both = () =>
    device.scope(() => {
      const o = attention(qkv, HEADS);
      const d_qkv = backward(device, [{ of: o, gradient: d_o }], gradientRules).get(qkv) as Tensor;
      return { o, d_qkv };
    });
  const extraBytes = extraMemory(device, both);
  const { o, d_qkv } = both();
  const arrays = { qkv: await qkv.read(), d_o: gradient, o: await o.read(), d_qkv: await d_qkv.read() };
  checkAttention(`attention over ${length}`, params, arrays, await builtinErrorsOf(device));
  const tensors = { qkv, d_o, o, d_qkv, ...passesOf(device, params) };
  return {
    length,
    subjects: subjectsOf(device, params, tensors, () => free(both())),
    extraBytes,
    dispose: () => free(tensors),
  };
}

const free = (tensors: Readonly<Record<string, Tensor>>) => {
  for (const tensor of Object.values(tensors)) tensor.dispose();
};

/** What the passes hand each other. */
const passesOf = (device: Device, { batch, heads, seq_len }: AttentionParams) => ({
  log_sum_exp: Tensor.empty(device, [batch, heads, seq_len]),
  delta: Tensor.empty(device, [batch, heads, seq_len]),
});

/** Bytes that `both` needs at the peak, beyond what exists before and what it returns. */
function extraMemory(device: Device, both: () => { o: Tensor; d_qkv: Tensor }): number {
  device.resetPeakMemory();
  const before = device.memory.totalBytes;
  const results = both();
  const peak = device.memory.peakBytes;
  const returned = results.o.bytes + results.d_qkv.bytes;
  free(results);
  return peak - before - returned;
}

function subjectsOf(
  device: Device,
  params: AttentionParams,
  { qkv, d_o, o, d_qkv, log_sum_exp, delta }: Readonly<Record<string, Tensor>>,
  both: () => void,
): Subject[] {
  const [forward, backwardQuery, backwardKey] = attentionChecks(device, params).map(({ kernel }) => kernel);
  const runForward = () => launch(device, forward, { qkv, o, log_sum_exp }, params);
  runForward(); // log_sum_exp is what the gradient needs
  const runBackward = () => {
    launch(device, backwardQuery, { qkv, o, d_o, log_sum_exp, delta, d_qkv }, params);
    launch(device, backwardKey, { qkv, d_o, log_sum_exp, delta, d_qkv }, params);
  };
  const forwardFlops = forward.flops(params);
  const backwardFlops = backwardQuery.flops(params) + backwardKey.flops(params);
  const subject = (pass: Pass, flops: number, run: () => void) => ({
    ...{ name: `${params.seq_len} ${pass}`, length: params.seq_len, pass, flops, run },
  });
  return [
    subject('forward', forwardFlops, runForward),
    subject('backward', backwardFlops, runBackward),
    subject('both', forwardFlops + backwardFlops, both),
  ];
}

/** A pass timed. */
interface PassResult extends Measured {
  /** Of the FMA peak. */
  share: number;
}

function resultOf(timed: Timed, flops: number, peak: number): PassResult {
  const result = measured(timed, flops);
  return { ...result, share: result.gflops / peak };
}

function formatResult(result: PassResult, extraBytes: number | undefined): string[] {
  return [
    ...measuredCells(result),
    `${(100 * result.share).toFixed(0)} %`,
    extraBytes === undefined ? '' : String(extraBytes),
  ];
}

function memoryBars(lengths: readonly Length[]): Bar[] {
  const bars = lengths.map(({ length, extraBytes }) => {
    const allowed = 8 * BATCH * HEADS * length + 2 * GRANULE;
    return makeBar(`extra memory at ${length}: allowed against used`, allowed, extraBytes, 'bytes', 1);
  });
  const [shortest, longest] = [lengths[0], lengths[lengths.length - 1]];
  if (shortest === longest) return bars;
  const growth = longest.extraBytes / shortest.extraBytes;
  const name = "growth of the sequence against extra memory's";
  // Rounding adds up to a tenth to the shortest; with [T, T] arrays the ratio would be 0.09.
  return [...bars, makeBar(name, longest.length / shortest.length, growth, '×', 0.9)];
}
