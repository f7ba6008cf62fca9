/**
 * What an adapter can do at best, measured: multiply-adds, copying, loads (Williams, Waterman & Patterson, "Roofline",
 * CACM 2009). The microbenchmarks are kernels like any other, verified before they are timed, and timed in the same
 * rounds as what is held against them.
 */
import { type Device, Philox, UserError } from '@hrm-webgpu/core';
import {
  FMA_TURN,
  FMA_VARIANTS,
  LOAD_VARIANTS,
  type RooflineFmaParams,
  typedChecks,
} from '@hrm-webgpu/kernels/checks';
import { compare, type KernelCase, type KernelRun, prepareKernel } from './kernel-run.ts';
import { median, quantile } from './statistics.ts';
import { type Calibrated, calibrate, type Stopwatch, type Timed, timeRound, untimed } from './timing.ts';

/** What an adapter can do at best. */
export interface Roofline {
  /** Billions of floating-point operations a second, two to a multiply-add. */
  fmaGflops: number;
  /** The same by the faster quarter of the samples: other work on the machine only ever slows them. */
  fmaGflopsUndisturbed: number;
  /** Which microbenchmark gave it. */
  fmaVariant: string;
  /** Billions of bytes a second, read and written, in copying an array larger than the caches. */
  copyGBs: number;
  /** Billions of loads a second from the nearest cache, of one f32 and of a vec4<f32>. */
  scalarLoads: number;
  vec4Loads: number;
}

/** A kernel that measures one side of the roofline, calibrated. */
interface Probe extends Calibrated {
  kind: 'fma' | 'copy' | 'scalar loads' | 'vec4 loads';
  flops: number;
  bytes: number;
  /** What counts: operations, bytes or loads of a run. */
  amount: number;
}

/** Elements, and multiply-adds of each: 0.8 GFLOP take a CPU 10 to 20 ms; 26 GFLOP by a million threads fill a GPU. */
const FMA = {
  software: { length: 2 ** 17, fmas: 4 * FMA_TURN, a: 1 - 2 ** -9, b: 0.25 },
  gpu: { length: 2 ** 20, fmas: 16 * FMA_TURN, a: 1 - 2 ** -9, b: 0.25 },
};
/** 64 MiB an array. */
const COPY = { length: 2 ** 24 };
const LOAD = { length: 2 ** 16, loads: 512 };
/** So many of the fastest multiply-add variants are timed on; the others only once. */
const FINALISTS = 3;
/** Samples of each for a first look. */
const QUICK_ROUNDS = 3;

/** The microbenchmarks of an adapter. */
export interface RooflineProbes {
  entries: readonly Calibrated[];
  /** Operations and bytes of a run of each entry. */
  work: readonly { flops: number; bytes: number }[];
  /** What the times of `entries`, in their order, tell. */
  evaluate(timed: readonly Timed[]): Roofline;
  dispose(): void;
}

/** Verifies and calibrates the microbenchmarks, and keeps the fastest variants. */
export async function prepareRoofline(
  device: Device,
  stopwatch: Stopwatch,
  seed: number,
  fmaVariants: readonly (typeof FMA_VARIANTS)[number][] = FMA_VARIANTS,
): Promise<RooflineProbes> {
  const runs: KernelRun[] = [];
  const probe = async (kind: Probe['kind'], unitsOf: (run: KernelRun) => number, kernelCase: KernelCase) => {
    const run = await prepareKernel(device, kernelCase, new Philox(seed));
    runs.push(run);
    const { flops, bytes } = run;
    return { ...(await calibrate(run, stopwatch)), kind, flops, bytes, amount: unitsOf(run) };
  };
  const fma: Probe[] = [];
  for (const constants of fmaVariants) {
    const { pack, CHAINS, GROUP } = constants;
    const name = `FMA ${pack} × ${CHAINS}, ${GROUP} threads`;
    const params = FMA[device.adapter.class];
    const verify = verifyFma(params, constants);
    fma.push(
      await probe('fma', ({ flops }) => flops, {
        name,
        check: typedChecks.roofline_fma,
        params,
        constants,
        verify,
      }),
    );
  }
  fma.sort((a, b) => a.msPerRun - b.msPerRun);
  const others = [
    await probe('copy', ({ bytes }) => bytes, {
      name: 'copy',
      check: typedChecks.roofline_copy,
      params: COPY,
      verify: verifyCopy,
    }),
  ];
  for (const constants of LOAD_VARIANTS) {
    const kind = constants.PACK === 1 ? 'scalar loads' : 'vec4 loads';
    const loads = () => (LOAD.length / constants.PACK) * LOAD.loads;
    const name = `loads of ${constants.pack}`;
    others.push(
      await probe(kind, loads, { name, check: typedChecks.roofline_load, params: LOAD, constants }),
    );
  }
  const probes = [...fma.slice(0, FINALISTS), ...others];
  return {
    entries: probes,
    work: probes,
    evaluate: (timed) => evaluate(probes, timed),
    dispose: () => {
      for (const run of runs) run.dispose();
    },
  };
}

/** Threads start like the 64th before them, so that float64 need only compute the first 64. */
function verifyFma(params: RooflineFmaParams, constants: { PACK: number }): KernelCase['verify'] {
  return ({ inputs, outputs, tolerance }) => {
    const period = 64 * constants.PACK;
    const { y } = typedChecks.roofline_fma.reference(inputs, { ...params, length: period }, constants);
    const expected = Float64Array.from({ length: params.length }, (_, i) => y[i % period]);
    compare('roofline_fma: y', outputs.y, expected, tolerance('y'));
  };
}

/** All of it, without float64 copies of so much. */
const verifyCopy: KernelCase['verify'] = ({ inputs: { x }, outputs: { y } }) => {
  const wrong = y.findIndex((value, i) => value !== x[i]);
  if (wrong >= 0)
    throw new UserError(
      `roofline_copy: y[${wrong}] is ${y[wrong]}, expected ${x[wrong]}. Nothing was timed.`,
    );
};

function evaluate(probes: readonly Probe[], timed: readonly Timed[]): Roofline {
  const rates = probes.map(({ kind, amount, candidate }, i) => {
    const { samplesMs } = timed[i];
    const rate = amount / median(samplesMs) / 1e6;
    return { kind, name: candidate.name, rate, undisturbed: amount / quantile(samplesMs, 0.25) / 1e6 };
  });
  const best = (kind: Probe['kind']) =>
    rates.filter((rate) => rate.kind === kind).reduce((a, b) => (b.rate > a.rate ? b : a));
  const fma = best('fma');
  return {
    fmaGflops: fma.rate,
    fmaGflopsUndisturbed: fma.undisturbed,
    fmaVariant: fma.name,
    copyGBs: best('copy').rate,
    scalarLoads: best('scalar loads').rate,
    vec4Loads: best('vec4 loads').rate,
  };
}

/** How near a kernel comes to the roofline, and which side of it is nearer. */
export interface RooflineShare {
  /** Least time that the roofline allows, over the time taken; above 1 where caches beat the memory. */
  share: number;
  bound: 'arithmetic' | 'memory';
}

export function rooflineShare(
  work: { flops: number; bytes: number },
  ms: number,
  roofline: Roofline,
): RooflineShare {
  const { ms: least, bound } = rooflineFloor(work, roofline);
  return { share: least / ms, bound };
}

/** The least time that the roofline allows, and by which of its sides. */
export function rooflineFloor(
  { flops, bytes }: { flops: number; bytes: number },
  { fmaGflops, copyGBs }: Roofline,
): { ms: number; bound: RooflineShare['bound'] } {
  const arithmeticMs = flops / fmaGflops / 1e6;
  const memoryMs = bytes / copyGBs / 1e6;
  return {
    ms: Math.max(arithmeticMs, memoryMs),
    bound: arithmeticMs > memoryMs ? 'arithmetic' : 'memory',
  };
}

/** The roofline by a few samples of each microbenchmark: for a first look, in seconds. */
export async function quickRoofline(device: Device, stopwatch: Stopwatch): Promise<Roofline> {
  // Larger workgroups are hardly ever faster here, and take as long again to try.
  const few = FMA_VARIANTS.filter(({ GROUP }) => GROUP === 64);
  const probes = await prepareRoofline(device, stopwatch, 1, few);
  try {
    const timed = probes.entries.map(untimed);
    for (let round = 0; round < QUICK_ROUNDS; round++) await timeRound([timed], stopwatch, new Philox(round));
    return probes.evaluate(timed);
  } finally {
    probes.dispose();
  }
}
