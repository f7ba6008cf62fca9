/**
 * Finds the fastest way to do an operation at a shape on a device, by timing. Nothing is timed before its results have
 * been compared: the standard way, with its settings, with the float64 reference of its kernel at a small shape, every
 * other way with the standard one at the shape itself. Kept apart from what the library runs: it needs the kernels' checks.
 */
import {
  type Choice,
  type Device,
  type HostArray,
  type ParamValues,
  Philox,
  parseShader,
  type Tensor,
} from '@hrm-webgpu/core';
import { type Kernel, type LaunchedKernel, launchKey, observeLaunches, suits } from '../kernel.ts';
import { kernelOf, type Operation, runChoice, standardChoice, tuningKey, type Use } from '../operation.ts';
import { tolerancesOf } from './builtin-errors.ts';
import type { HostArrays, KernelCheck } from './check.ts';
import { contentsFor, tensorsOf } from './run-check.ts';
import { selfCheck } from './self-check.ts';
import { settingsOf, tunablesOf } from './tunables.ts';

/** What tuning an operation at a shape came to. */
export interface Tuned {
  key: string;
  choice: Choice;
  /** Milliseconds of a run, in the standard way and in the chosen one, by turns where they are not the same. */
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
/** Interleaved samples of either side. */
const ROUNDS = 7;
/** How long a sample lasts at least, also as a multiple of what the platform takes to notice that nothing is left to do. */
const SAMPLE_MS = 8;
const LATENCIES = 10;
/** A way whose best sample is so much slower after two or more rounds is given up. */
const HOPELESS = 1.15;
/** Other kernels are explored only when, untuned, they come this near to the best. */
const NEAR = 2;

interface Trial {
  choice: Choice;
  ms: number;
  compileMs: number;
}

/** What came of making a way ready. */
interface Start {
  /** Compilation and the first run, to which some platforms put compilation off. */
  compileMs: number;
  /** Why it is no use, if so. */
  problem?: string;
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
      if (!suits(kernel, device)) continue;
      best = await explore(bench, kernel, best);
    }
    // What was first is long ago: before and after are told of one moment, and what is no better then is not chosen.
    if (best !== standard) {
      await bench.byTurns(standard, best);
      if (standard.ms <= best.ms) best = standard;
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
  private readonly verdicts = new Map<string, Promise<string | undefined>>();
  private expected: Record<string, HostArray> = {};
  private runsPerSample = 1;

  private constructor(
    private readonly device: Device,
    readonly operation: Operation<ParamValues>,
    readonly params: ParamValues,
    private readonly check: KernelCheck<ParamValues>,
    private readonly tensors: Record<string, Tensor>,
    /** What the results hold before a way is tried: another way's must not pass for its own. */
    private readonly before: HostArrays,
  ) {}

  static async prepare(
    device: Device,
    operation: Operation<ParamValues>,
    params: ParamValues,
    checkOf: (kernel: string) => Promise<KernelCheck<ParamValues>>,
  ): Promise<Bench> {
    const { kernel } = standardChoice(operation, device, params);
    const check = await checkOf(kernel);
    const contents = contentsFor(check, { ...check.cases[0], ...params }, new Philox(1));
    const before = Object.fromEntries(writtenBy(check).map((name) => [name, contents[name]]));
    return new Bench(device, operation, params, check, tensorsOf(device, contents), before);
  }

  dispose(): void {
    for (const tensor of Object.values(this.tensors)) tensor.dispose();
  }

  /** Checks and times the standard way. */
  async first(): Promise<Trial> {
    const choice = standardChoice(this.operation, this.device, this.params);
    this.seen.add(this.complete(choice));
    const { compileMs, problem } = await this.start(choice); // before all else: later it would find itself compiled
    if (problem) throw new Error(`${this.operation.name}: the standard way fails: ${problem}`);
    this.expected = await this.results();
    await checkSmall(this.device, this.operation, choice, this.check);
    const least = Math.max(SAMPLE_MS, LATENCIES * (await this.latency()));
    let ms = await this.sample(choice, 1);
    while (ms < least) {
      this.runsPerSample *= 2;
      ms = await this.sample(choice, this.runsPerSample);
    }
    return { choice, compileMs, ms: ms / this.runsPerSample };
  }

  /** Times a way by turns with the best so far, which gets its time anew; undefined when it is no use. */
  async against(best: Trial, choice: Choice): Promise<Trial | undefined> {
    const id = this.complete(choice);
    if (this.seen.has(id)) return undefined;
    this.seen.add(id);
    const { compileMs, problem } = await this.start(choice);
    const tolerance = await tolerancesOf(this.device, this.check, this.params);
    // Both may be off, to either side.
    const wrong = problem ?? differs(this.expected, await this.results(), (name) => 2 * tolerance(name));
    if (wrong) {
      this.rejected.push(`${wayText(id)}: ${wrong}`);
      return undefined;
    }
    this.tried += 1;
    const trial = { choice, compileMs, ms: Number.POSITIVE_INFINITY };
    await this.byTurns(best, trial);
    return trial;
  }

  /** Times two ways by turns; both get their time anew. The second is given up early where it is hopeless. */
  async byTurns(one: Trial, other: Trial): Promise<void> {
    const [a, b]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      a.push(await this.sample(one.choice, this.runsPerSample));
      b.push(await this.sample(other.choice, this.runsPerSample));
      if (round >= 1 && Math.min(...b) > HOPELESS * Math.min(...a)) break;
    }
    one.ms = median(a) / this.runsPerSample;
    other.ms = median(b) / this.runsPerSample;
  }

  /** A choice with the values that hold for what it leaves open, in a fixed order: equal ones look equal. */
  private complete(choice: Choice): string {
    const kernel = kernelOf(this.operation, choice);
    const { name, text } = kernel;
    const declared = parseShader(name, text).constants;
    const constants = kernel.constants?.(this.params, this.device.adapter.class) ?? {};
    const settings: Record<string, number> = {};
    for (const [key, values] of Object.entries(settingsOf(this.operation, kernel, this.params)))
      settings[key] = Number(constants[key] ?? declared.get(key)?.value ?? values[0]);
    Object.assign(settings, choice.settings);
    return JSON.stringify([name, ...Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1))]);
  }

  /** Compiles a way and, unless that fails, runs it once. */
  private async start(choice: Choice): Promise<Start> {
    const kernel = kernelOf(this.operation, choice);
    const tunables = tunablesOf(kernel.name);
    const settings = Object.entries(choice.settings).filter(([name]) => Object.hasOwn(tunables, name));
    const constants = kernel.constants?.(this.params, this.device.adapter.class);
    const all = { ...constants, ...Object.fromEntries(settings) };
    for (const [name, data] of Object.entries(this.before)) this.tensors[name].write(data);
    await this.device.stream.finish();
    const start = performance.now();
    const problem = await this.device.program(kernel, all).attempt();
    const compileMs = performance.now() - start;
    if (problem) return { compileMs, problem };
    let launched: LaunchedKernel[] = [];
    const sample = this.sample(choice, 1, (body) => {
      launched = observeLaunches(this.device, body);
    });
    const first = { compileMs: compileMs + (await sample) };
    for (const one of launched) {
      const wrong = await this.checked(one);
      if (wrong) return { ...first, problem: wrong };
    }
    return first;
  }

  /** What is wrong with a kernel that a way launches, at a small shape between guard zones; found out once. */
  private checked(launched: LaunchedKernel): Promise<string | undefined> {
    const key = launchKey(launched);
    let verdict = this.verdicts.get(key);
    if (!verdict) {
      verdict = selfCheck(this.device, launched).then(({ problem }) => problem);
      this.verdicts.set(key, verdict);
    }
    return verdict;
  }

  /** Milliseconds of so many runs, from the first submission to the end of the last. */
  private async sample(choice: Choice, runs: number, around = (body: () => void) => body()): Promise<number> {
    const { device, operation, tensors, params } = this;
    await device.stream.finish();
    const start = performance.now();
    for (let i = 0; i < runs; i++)
      device.scope(() => around(() => runChoice(device, operation, choice, tensors, params)));
    await device.stream.finish();
    return performance.now() - start;
  }

  /** Milliseconds that it takes to notice that nothing is left to do. */
  private async latency(): Promise<number> {
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      await this.device.stream.finish();
      const start = performance.now();
      await this.device.stream.finish();
      times.push(performance.now() - start);
    }
    return median(times);
  }

  private async results(): Promise<Record<string, HostArray>> {
    const found: Record<string, HostArray> = {};
    for (const name of Object.keys(this.before)) found[name] = await this.tensors[name].read();
    return found;
  }
}

/** `matmul_subgroup ROWS=8` */
function wayText(id: string): string {
  const [kernel, ...settings] = JSON.parse(id) as [string, ...[string, number][]];
  return [kernel, ...settings.map((setting) => setting.join('='))].join(' ');
}

/** The names of what a kernel writes. */
function writtenBy({ kernel }: KernelCheck<ParamValues>): string[] {
  const { name, text } = kernel;
  const written = parseShader(name, text).bindings.filter(({ access }) => access === 'read_write');
  return written.map((binding) => binding.name);
}

/** @throws Error when an operation, done as chosen, misses the float64 reference of its kernel at a small shape */
async function checkSmall(
  device: Device,
  operation: Operation<ParamValues>,
  choice: Choice,
  check: KernelCheck<ParamValues>,
): Promise<void> {
  const params = check.cases[Math.min(2, check.cases.length - 1)];
  const contents = contentsFor(check, params, new Philox(1));
  const tensors = tensorsOf(device, contents);
  runChoice(device, operation, choice, tensors, params);
  const reference = check.reference(contents, params, {});
  const actual: Record<string, HostArray> = {};
  for (const name of Object.keys(reference)) actual[name] = await tensors[name].read();
  for (const tensor of Object.values(tensors)) tensor.dispose();
  const wrong = differs(reference, actual, await tolerancesOf(device, check, params));
  if (wrong) {
    const way = JSON.stringify(choice.settings);
    throw new Error(`${choice.kernel} ${way} misses its float64 reference on this device: ${wrong}`);
  }
}

/** What differs by more than an array's `tolerance` of its largest, if anything does. */
function differs(
  expected: Record<string, ArrayLike<number>>,
  actual: Record<string, ArrayLike<number>>,
  tolerance: (name: string) => number,
): string | undefined {
  for (const [name, values] of Object.entries(expected)) {
    let largest = 1e-30;
    for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]));
    for (let i = 0; i < values.length; i++) {
      const error = Math.abs(values[i] - actual[name][i]);
      if (!(error <= tolerance(name) * largest))
        return `${name}[${i}] is ${actual[name][i]}, expected ${values[i]}`;
    }
  }
  return undefined;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
