import { type Device, Philox, Tensor } from '@hrm-webgpu/core';
import { launch, linear, matmulNaiveKernel, matmulOperation, suits } from '@hrm-webgpu/kernels';
import { runChoice, standardChoice } from '@hrm-webgpu/kernels/operation';
import { type Benchmark, type BenchmarkContext, roundsOf } from '../report/benchmark.ts';
import { type ControlledTimes, timeWithControl } from '../report/control.ts';
import { formatRatio, makeBar, type Report } from '../report/report.ts';
import { type Measured, measured, measuredCells } from '../timing/measured.ts';
import { type Ratio, ratioOfMedians } from '../timing/statistics.ts';
import { type Calibrated, calibrate, deviceStopwatch, quickest } from '../timing/timing.ts';
import { checkSampled } from './sampled-check.ts';

const SIZE = 512;
const FLOPS = 2 * SIZE ** 3;
const ROUNDS = { fewest: 15, most: 101, ms: 60_000 };
const SEED = 1;
/** The same as in the kernels' own tests: the error of a sum of k terms grows as √k. */
const TOLERANCE = 10 * Math.sqrt(SIZE + 4) * 2 ** -24;
/** Philox streams of the run's seed. */
const STREAMS = { order: 0, bootstrap: 1, inputs: 2 };

const NAIVE = 'matmul_naive';
const SHAPE = { m: SIZE, n: SIZE, k: SIZE, a_row: SIZE, a_column: 1 };

/** A way to multiply the two square matrices of the benchmark. */
interface Product {
  name: string;
  /** A new tensor with x·y, or x·yᵀ for `yTransposed`. */
  multiply(): Tensor;
  yTransposed?: boolean;
}

/** x and y, on the GPU. */
interface Inputs {
  x: Tensor;
  y: Tensor;
}

/** A product timed. */
interface Result extends Measured {
  /** How many times as fast as one output per thread. */
  timesNaive: Ratio;
}

export const matmulBenchmark: Benchmark = {
  name: 'matmul',
  summary: `the matrix product at ${SIZE}×${SIZE}×${SIZE}: one output a thread, the engine's kernels, x·Wᵀ`,
  description: [
    `Multiplies two ${SIZE}×${SIZE} f32 matrices. Every product is compared with float64 on samples; then`,
    `${ROUNDS.fewest} to ${ROUNDS.most} rounds time all of them by turns, in an order drawn anew each round.`,
    "'linear with transpose' is x·Wᵀ as the model computes it, with W transposed each time. The fastest is",
    'timed under two more names, which must come out the same: the control. The bar is for the kernel that the',
    'engine takes on this adapter.',
  ].join('\n'),
  duration: { full: 150, quick: 20 },
  async run(context) {
    const { device, note } = context;
    const inputs = { x: Tensor.empty(device, [SIZE, SIZE]), y: Tensor.empty(device, [SIZE, SIZE]) };
    const { products, skipped } = productsFor(device, inputs);
    note(`checking ${products.length} products against float64…`);
    for (const [index, product] of products.entries()) await checkProduct(product, inputs, index);
    const timings = await timeProducts(context, products);
    inputs.x.dispose();
    inputs.y.dispose();
    return reportOf(timings, skipped, standardChoice(matmulOperation, device, SHAPE).kernel);
  },
};

function productsFor(device: Device, { x, y }: Inputs): { products: Product[]; skipped: string[] } {
  const into = (body: (c: Tensor) => void) => () => {
    const c = Tensor.empty(device, [SIZE, SIZE]);
    body(c);
    return c;
  };
  const { m, n, k } = SHAPE;
  const products: Product[] = [
    { name: NAIVE, multiply: into((c) => launch(device, matmulNaiveKernel, { a: x, b: y, c }, { m, n, k })) },
  ];
  const skipped: string[] = [];
  for (const kernel of matmulOperation.kernels) {
    const { name } = kernel;
    const choice = { kernel: name, settings: {} };
    const multiply = into((c) => runChoice(device, matmulOperation, choice, { a: x, b: y, c }, SHAPE));
    if (suits(kernel, device)) products.push({ name, multiply });
    else skipped.push(`${name}: it is not for this kind of adapter, or needs wider subgroups`);
  }
  products.push({ name: 'linear with transpose', multiply: () => linear(x, y), yTransposed: true });
  return { products, skipped };
}

/** Inputs differ from check to check: a result that another product left in a reused buffer does not pass. */
async function checkProduct(product: Product, { x, y }: Inputs, index: number): Promise<void> {
  const random = new Philox(SEED, STREAMS.inputs + index);
  const [a, b] = [x, y].map(({ size }) =>
    Float32Array.from({ length: size }, () => 2 * random.uniform() - 1),
  );
  x.write(a);
  y.write(b);
  const c = product.multiply();
  const actual = await c.readF32();
  c.dispose();
  const [columnStep, termStep] = product.yTransposed ? [SIZE, 1] : [1, SIZE];
  const exact = (row: number, column: number) => {
    let sum = 0;
    for (let k = 0; k < SIZE; k++) sum += a[row * SIZE + k] * b[column * columnStep + k * termStep];
    return sum;
  };
  checkSampled(product.name, actual, [SIZE, SIZE], exact, TOLERANCE, random);
}

async function timeProducts(
  { device, form, note }: BenchmarkContext,
  products: readonly Product[],
): Promise<ControlledTimes> {
  const stopwatch = deviceStopwatch(device);
  const entries: Calibrated[] = [];
  for (const { name, multiply } of products) {
    entries.push(await calibrate({ name, run: () => multiply().dispose() }, stopwatch));
  }
  const random = new Philox(SEED, STREAMS.order);
  const limits = roundsOf(form, ROUNDS);
  return timeWithControl(entries, quickest(entries), stopwatch, limits, random, note);
}

/** @param engine the kernel that the engine takes */
function reportOf({ timed, control }: ControlledTimes, skipped: string[], engine: string): Report {
  const random = new Philox(SEED, STREAMS.bootstrap);
  const naive = timed[0];
  const results = timed.map(
    (entry): Result => ({
      ...measured(entry, FLOPS),
      timesNaive: ratioOfMedians(naive.samplesMs, entry.samplesMs, random),
    }),
  );
  const rates = new Map(results.map(({ name, gflops }) => [name, gflops]));
  const naiveRate = rates.get(NAIVE) as number;
  const engineRate = rates.get(engine) as number;
  return {
    title: `f32 matrix product, ${SIZE}×${SIZE}×${SIZE}`,
    settings: { size: SIZE, seed: SEED },
    results,
    table: [['', 'median ms', 'middle half ms', 'GFLOP/s', '× naive [95 %]'], ...results.map(formatResult)],
    skipped,
    controls: [control],
    bars: [makeBar(`matmul at ${SIZE}³ ≥ 8 × naive`, engineRate, naiveRate, 'GFLOP/s', 8)],
  };
}

const formatResult = (result: Result): string[] => [...measuredCells(result), formatRatio(result.timesNaive)];
