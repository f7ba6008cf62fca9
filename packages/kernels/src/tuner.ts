/**
 * Finds the fastest way to do an operation at a shape on a device, by timing. Nothing is timed before its results have
 * been compared: the standard way with the float64 reference of its kernel at a small shape, every other way with the
 * standard one at the shape itself. Kept apart from what the library runs: it needs the kernels' checks.
 */
import {
  type Choice,
  type Device,
  type HostArray,
  type ParamValues,
  Philox,
  parseShader,
  Tensor,
} from '@hrm-webgpu/core';
import type { KernelCheck } from './check.ts';
import { type Kernel, launch, sourceOf, suits } from './kernel.ts';
import {
  kernelOf,
  type Operation,
  runChoice,
  settingsOf,
  standardChoice,
  tuningKey,
  type Use,
} from './operation.ts';

/** What tuning an operation at a shape came to. */
export interface Tuned {
  key: string;
  choice: Choice;
  /** Milliseconds of a run, in the standard way and in the chosen one. */
  standardMs: number;
  ms: number;
  tried: number;
  /** Ways that were left out, with the reason: they do not compile, or compute something else. */
  rejected: string[];
}

/** A way must be this much faster than the best so far to replace it: less is noise. */
const WORTH = 1.05;
/** Runs of a kernel over which its compilation has to pay: a training run of a few hundred steps. */
const RUNS_TO_PAY = 10_000;
/** Interleaved samples of either side, and how long a sample lasts at least. */
const ROUNDS = 7;
const SAMPLE_MS = 8;
/** A way whose best sample is so much slower after two or more rounds is given up. */
const HOPELESS = 1.15;
/** Other kernels are explored only when, untuned, they come this near to the best. */
const NEAR = 2;

interface Trial {
  choice: Choice;
  ms: number;
  compileMs: number;
}

/** @throws Error when the standard way does not compute what its reference does */
export async function tune(
  device: Device,
  { operation, params }: Use,
  checkOf: (kernel: string) => Promise<KernelCheck<ParamValues>>,
): Promise<Tuned> {
  const bench = await Bench.prepare(device, operation, params, checkOf);
  try {
    const standard = await bench.first();
    let best = standard;
    for (const kernel of operation.kernels) {
      if (!suits(kernel, device.adapter)) continue;
      best = await explore(bench, kernel, best);
    }
    return {
      key: tuningKey(operation.name, params),
      choice: best.choice,
      standardMs: standard.ms,
      ms: best.ms,
      tried: bench.tried,
      rejected: bench.rejected,
    };
  } finally {
    bench.dispose();
  }
}

/** Walks through the settings of a kernel once, one by one, keeping the best value of each. */
async function explore(bench: Bench, kernel: Kernel<ParamValues>, best: Trial): Promise<Trial> {
  let found = best;
  if (kernel.name !== best.choice.kernel) {
    const trial = await bench.against(found, { kernel: kernel.name, settings: {} });
    if (!trial || trial.ms > NEAR * found.ms) return best;
    if (isBetter(trial, found)) found = trial;
    else return best;
  }
  const settings = Object.entries(settingsOf(bench.operation, kernel, bench.params));
  for (const [name, values] of settings) {
    for (const value of values) {
      const settings = { ...found.choice.settings, [name]: value };
      const trial = await bench.against(found, { kernel: kernel.name, settings });
      if (trial && isBetter(trial, found)) found = trial;
    }
  }
  return found;
}

/** Faster beyond noise, by enough to pay for its compilation. */
function isBetter(trial: Trial, best: Trial): boolean {
  const saved = (best.ms - trial.ms) * RUNS_TO_PAY;
  return trial.ms * WORTH < best.ms && saved > trial.compileMs - best.compileMs;
}

/** The tensors of one operation at one shape, and timing on them. */
class Bench {
  tried = 0;
  readonly rejected: string[] = [];
  private readonly seen = new Set<string>();
  private expected: Record<string, HostArray> = {};
  private runsPerSample = 1;

  private constructor(
    private readonly device: Device,
    readonly operation: Operation<ParamValues>,
    readonly params: ParamValues,
    private readonly check: KernelCheck<ParamValues>,
    private readonly checkOf: (kernel: string) => Promise<KernelCheck<ParamValues>>,
    private readonly tensors: Record<string, Tensor>,
  ) {}

  static async prepare(
    device: Device,
    operation: Operation<ParamValues>,
    params: ParamValues,
    checkOf: (kernel: string) => Promise<KernelCheck<ParamValues>>,
  ): Promise<Bench> {
    const { kernel } = standardChoice(operation, device.adapter, params);
    const check = await checkOf(kernel);
    const tensors = tensorsFor(device, check, { ...check.cases[0], ...params });
    return new Bench(device, operation, params, check, checkOf, tensors);
  }

  dispose(): void {
    for (const tensor of Object.values(this.tensors)) tensor.dispose();
  }

  /** Checks and times the standard way. */
  async first(): Promise<Trial> {
    await checkSmall(this.device, this.check);
    const choice = standardChoice(this.operation, this.device.adapter, this.params);
    this.seen.add(JSON.stringify(this.complete(choice)));
    this.fillOutputs();
    const compileMs = await this.sample(choice, 1);
    this.expected = await this.results();
    let ms = await this.sample(choice, 1);
    while (ms < SAMPLE_MS) {
      this.runsPerSample *= 2;
      ms = await this.sample(choice, this.runsPerSample);
    }
    return { choice, compileMs, ms: ms / this.runsPerSample };
  }

  /** Times a way by turns with the best so far, which gets its time anew; undefined when it is no use. */
  async against(best: Trial, choice: Choice): Promise<Trial | undefined> {
    const id = JSON.stringify(this.complete(choice));
    if (this.seen.has(id)) return undefined;
    this.seen.add(id);
    const problem = await this.problem(choice);
    if (problem) {
      this.rejected.push(`${id}: ${problem}`);
      return undefined;
    }
    this.fillOutputs();
    const compileMs = await this.sample(choice, 1);
    const wrong = differs(this.expected, await this.results(), 2 * this.check.tolerance(this.params));
    if (wrong) {
      this.rejected.push(`${id}: ${wrong}`);
      return undefined;
    }
    this.tried += 1;
    const [a, b]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      a.push(await this.sample(best.choice, this.runsPerSample));
      b.push(await this.sample(choice, this.runsPerSample));
      if (round >= 1 && Math.min(...b) > HOPELESS * Math.min(...a)) break;
    }
    best.ms = median(a) / this.runsPerSample;
    return { choice, compileMs, ms: median(b) / this.runsPerSample };
  }

  /** A choice with the kernel's own values for what it leaves open, in a fixed order: equal ones look equal. */
  private complete({ kernel, settings }: Choice): unknown[] {
    return [kernel, ...Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1))];
  }

  private async problem(choice: Choice): Promise<string | undefined> {
    const kernel = kernelOf(this.operation, choice);
    const declared = (await this.checkOf(kernel.name)).kernel;
    const { splits: _, ...constants } = choice.settings;
    const all = { ...declared.constants?.(this.params, this.device.adapter.class), ...constants };
    return await this.device.tryCompile(sourceOf(kernel), all);
  }

  /** Milliseconds of so many runs, from the first submission to the end of the last. */
  private async sample(choice: Choice, runs: number): Promise<number> {
    const { device, operation, tensors, params } = this;
    await device.stream.finish();
    const start = performance.now();
    for (let i = 0; i < runs; i++) device.scope(() => runChoice(device, operation, choice, tensors, params));
    await device.stream.finish();
    return performance.now() - start;
  }

  private async results(): Promise<Record<string, HostArray>> {
    const found: Record<string, HostArray> = {};
    for (const name of this.outputs()) found[name] = await this.tensors[name].read();
    return found;
  }

  /** Overwrites the results: another way's must not pass for this one's. */
  private fillOutputs(): void {
    for (const name of this.outputs())
      this.tensors[name].write(new Float32Array(this.tensors[name].size).fill(12345.678));
  }

  /** What the kernel writes. */
  private outputs(): string[] {
    const { name, text } = sourceOf(this.check.kernel);
    const written = parseShader(name, text).bindings.filter(({ access }) => access === 'read_write');
    return written.map((binding) => binding.name);
  }
}

function tensorsFor(device: Device, check: KernelCheck<ParamValues>, params: ParamValues) {
  const tensors: Record<string, Tensor> = {};
  for (const [name, data] of Object.entries(check.inputs(params, new Philox(1))))
    tensors[name] = Tensor.from(device, data);
  for (const [name, size] of Object.entries(check.outputs(params)))
    tensors[name] = Tensor.from(device, new Float32Array(size));
  return tensors;
}

/** @throws Error when a kernel, with its standard settings, misses its float64 reference at a small shape */
async function checkSmall(device: Device, check: KernelCheck<ParamValues>): Promise<void> {
  const params = check.cases[Math.min(2, check.cases.length - 1)];
  const tensors = tensorsFor(device, check, params);
  launch(device, check.kernel, tensors, params);
  const inputs = check.inputs(params, new Philox(1));
  const reference = check.reference(inputs, params, {});
  const actual: Record<string, HostArray> = {};
  for (const name of Object.keys(reference)) actual[name] = await tensors[name].read();
  for (const tensor of Object.values(tensors)) tensor.dispose();
  const wrong = differs(reference, actual, check.tolerance(params));
  if (wrong) throw new Error(`${check.kernel.name} misses its float64 reference on this device: ${wrong}`);
}

/** What differs by more than `tolerance` of the largest, if anything does. */
function differs(
  expected: Record<string, ArrayLike<number>>,
  actual: Record<string, ArrayLike<number>>,
  tolerance: number,
): string | undefined {
  for (const [name, values] of Object.entries(expected)) {
    let largest = 1e-30;
    for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]));
    for (let i = 0; i < values.length; i++) {
      const error = Math.abs(values[i] - actual[name][i]);
      if (!(error <= tolerance * largest))
        return `${name}[${i}] is ${actual[name][i]}, expected ${values[i]}`;
    }
  }
  return undefined;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
