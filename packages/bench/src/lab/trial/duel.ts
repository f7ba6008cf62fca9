/** Times texts of a kernel against each other. */
import { type ConstantValues, type Device, type ParamValues, Philox } from '@hrm-webgpu/core';
import { launch } from '@hrm-webgpu/kernels';
import { checks, contentsFor, tensorsOf } from '@hrm-webgpu/kernels/checks';
import { median, medianOfRatios, type Ratio } from '../../timing/statistics.ts';
import { deviceStopwatch, type Stopwatch } from '../../timing/timing.ts';
import { checkOf } from './trial.ts';

export interface DuelRequest {
  kernel: string;
  /** The kernel's text. */
  text: string;
  /** What it is timed against: other versions, or the same in other settings. */
  rivals: readonly { text: string; constants?: ConstantValues }[];
  params: ParamValues;
  /** How long the timing takes; up to three times as long where it is open whether there is a difference. */
  ms: number;
}

export interface DuelReply {
  /** Milliseconds a run, median. */
  ms: number;
  gflops: number;
  /** Gigabytes a second, each byte counted once. */
  gbs: number;
  /** By rival: the time as a share of the rival's, with its 99 % interval; or why there is none. */
  against: (Ratio | { problem: string })[];
  rounds: number;
  /** It takes more than ten times as long as what it was timed against. */
  isFarSlower?: boolean;
}

/** Of a 99 % interval: a save in a hundred is called faster or slower that is not. */
const Z = 2.58;
/** A sample lasts about so long: many short ones tell more than few long ones where the speed of the machine jumps. */
const SAMPLE_MS = 5;
const LEAST_ROUNDS = 9;
/**
 * Where the machine code of a kernel comes to lie is luck, and of a software adapter's was seen to cost 6 or 16 % of the time, in
 * one compilation of five. So each text is compiled several times, and the quickest is timed.
 */
const INSTANCES = 4;
/** More are made only before so long: some kernels take seconds. */
const INSTANCES_MS = 300;
const PILOT_ROUNDS = 5;
/** A text that takes so many times as long as another is not worth the time that its interval would take. */
const FAR = 10;
const GLANCES = 3;

/** Something that runs, and milliseconds a run. */
interface Side {
  run(): void;
  samples: number[];
}

/** By turns, in an order drawn anew each round. */
export async function duel(
  device: Device,
  { kernel: name, text, rivals, params, ms }: DuelRequest,
  signal: AbortSignal,
): Promise<DuelReply> {
  const check = checks[name];
  const tensors = tensorsOf(device, contentsFor(check, params, new Philox(1)));
  const stopwatch = deviceStopwatch(device);
  const side = (text: string, constants: ConstantValues = {}) => {
    return (instance: number): Side => {
      const { kernel } = checkOf(name, instance === 0 ? text : `${text}\n// again: ${instance}\n`);
      return { run: () => launch(device, kernel, tensors, params, constants), samples: [] };
    };
  };
  try {
    const problems = await Promise.all(rivals.map((rival) => refusal(device, name, rival, params)));
    const fit = rivals.filter((_, i) => !problems[i]);
    const makers = [side(text), ...fit.map((rival) => side(rival.text, rival.constants))];
    const instances = await instancesOf(makers, stopwatch);
    const firsts = instances.map(([first]) => first);
    const stops = !rivals.some(({ constants }) => constants);
    if (stops && (await looksFarSlower(firsts, stopwatch, signal)))
      return replyOf(name, params, problems, firsts);
    const runs = await runsPerSample((runs) => stopwatch({ name, ...instances[0][0] }, runs));
    const random = new Philox(2);
    const round = async (sides: readonly Side[]) => {
      signal.throwIfAborted();
      for (const { run, samples } of random.shuffle([...sides]))
        samples.push((await stopwatch({ name, run }, runs)) / runs);
    };
    const start = performance.now();
    const sides = await quickestOf(instances, round);
    const [ours] = sides;
    for (const share of [1, 2, 3]) {
      while (ours.samples.length < LEAST_ROUNDS || performance.now() < start + share * ms) await round(sides);
      if (!ratiosOf(sides).some(isOpen)) break;
    }
    return replyOf(name, params, problems, sides);
  } finally {
    for (const tensor of Object.values(tensors)) tensor.dispose();
  }
}

/** @param problems of the rivals, in their order: those that have one are no sides */
function replyOf(
  name: string,
  params: ParamValues,
  problems: readonly (string | undefined)[],
  sides: readonly Side[],
): DuelReply {
  const { kernel } = checks[name];
  const { samples } = sides[0];
  const ms = median(samples);
  const ratios = ratiosOf(sides);
  const isFarSlower = ratios.some(({ low }) => low > FAR);
  return {
    ms,
    gflops: kernel.flops(params) / ms / 1e6,
    gbs: kernel.bytes(params) / ms / 1e6,
    against: problems.map((problem) => (problem ? { problem } : (ratios.shift() as Ratio))),
    rounds: samples.length,
    ...(isFarSlower ? { isFarSlower } : {}),
  };
}

/** The time of the first as a share of each of the others'. */
const ratiosOf = ([ours, ...theirs]: readonly Side[]) =>
  theirs.map(({ samples }) => medianOfRatios(ours.samples, samples, Z));

/** Looks whether the first takes more than {@link FAR} times as long as another, by single runs: they are its samples then. */
async function looksFarSlower(
  [ours, ...theirs]: readonly Side[],
  stopwatch: Stopwatch,
  signal: AbortSignal,
): Promise<boolean> {
  const glance = async (side: Side) => {
    signal.throwIfAborted();
    side.samples.push(await stopwatch({ name: '', run: side.run }, 1));
  };
  for (let i = 0; i < GLANCES; i++) {
    for (const side of [...theirs, ours]) await glance(side);
    if (theirs.some(({ samples }) => Math.min(...ours.samples) > FAR * Math.max(...samples))) continue;
    for (const { samples } of [ours, ...theirs]) samples.length = 0;
    return false;
  }
  return theirs.length > 0;
}

/** Whether a difference worth a word may be there, and may be not: a change of so much that the interval does not confirm. */
const isOpen = ({ ratio, low, high }: Ratio) => Math.abs(ratio - 1) > 0.03 && low <= 1 && high >= 1;

/** Each text compiled several times, as often as the others; each has run once. */
async function instancesOf(
  makers: readonly ((instance: number) => Side)[],
  stopwatch: Stopwatch,
): Promise<Side[][]> {
  const instances: Side[][] = makers.map(() => []);
  const start = performance.now();
  for (let i = 0; i < INSTANCES && (i === 0 || performance.now() < start + INSTANCES_MS); i++) {
    for (const [m, make] of makers.entries()) {
      const instance = make(i);
      await stopwatch({ name: '', run: instance.run }, 1);
      instances[m].push(instance);
    }
  }
  return instances;
}

/** Of each text the instance that takes least time in a few rounds, which do not count any further. */
async function quickestOf(
  instances: readonly Side[][],
  round: (sides: readonly Side[]) => Promise<void>,
): Promise<Side[]> {
  if (instances[0].length > 1) for (let i = 0; i < PILOT_ROUNDS; i++) await round(instances.flat());
  return instances.map((all) => {
    const { run } = all.reduce((a, b) => (median(b.samples) < median(a.samples) ? b : a));
    return { run, samples: [] };
  });
}

/** How many runs make a sample. */
async function runsPerSample(ours: (runs: number) => Promise<number>): Promise<number> {
  let runs = 1;
  let taken = await ours(runs);
  while (taken < SAMPLE_MS / 2) {
    runs *= 2;
    taken = await ours(runs);
  }
  return Math.max(1, Math.round((runs * SAMPLE_MS) / taken));
}

/** Why another version cannot be timed: it does not compile here, or has another interface. */
async function refusal(
  device: Device,
  name: string,
  { text, constants }: DuelRequest['rivals'][number],
  params: ParamValues,
): Promise<string | undefined> {
  try {
    const { kernel } = checkOf(name, text);
    const derived = kernel.constants?.(params, device.adapter.class);
    const program = device.program(kernel, { ...derived, ...constants });
    const own = Object.keys(contentsFor(checks[name], params, new Philox(1)))
      .sort()
      .join();
    const theirs = program.shader.bindings
      .map((binding) => binding.name)
      .sort()
      .join();
    if (own !== theirs) return `its bindings are ${theirs}, not ${own}`;
    return await program.attempt();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
