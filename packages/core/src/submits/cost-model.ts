import type { AdapterDescription } from '../adapter.ts';
import type { Work } from '../profiler.ts';

/** Of dispatches, or milliseconds for one of each. */
interface Amounts extends Work {
  dispatches: number;
}

/** Milliseconds at first: what a slow adapter of the class takes, so that the first submits are small. */
const PESSIMISTIC: Readonly<Record<AdapterDescription['class'], Amounts>> = {
  gpu: { dispatches: 0.05, flops: 1e-8, bytes: 2e-7 }, // 0.1 TFLOP/s, 5 GB/s
  software: { dispatches: 0.1, flops: 2e-7, bytes: 1e-6 }, // 5 GFLOP/s, 1 GB/s
};

/** A measurement lasts so long at least, and so many times as long as the platform takes to notice that work is done. */
const SHORTEST_MS = 10;
const LATENCIES = 4;
/** Nothing is believed to take less than this: clocks of browsers tick in steps of a millisecond. */
const CLOCK_MS = 2;
/** Measurements whose end may have been noticed so late are left out; by a share of them, where that is more. */
const LATE_MS = 15;
const LATE_SHARE = 0.25;
/** How much one measurement may change a prediction: it may hold a compilation. */
const FASTER = 1 / 4;
const SLOWER = 2;
/** So many dispatches measured by themselves show how long one takes. */
const PROOFS = 3;

const KINDS = ['dispatches', 'flops', 'bytes'] as const;

/** What a submit consists of, kernel by kernel. */
export class Cost {
  readonly kernels = new Map<string, Amounts>();

  /** Adds one dispatch, or the work of so many. */
  add(kernel: string, { flops, bytes }: Work, dispatches = 1): void {
    let amounts = this.kernels.get(kernel);
    if (!amounts) {
      amounts = { dispatches: 0, flops: 0, bytes: 0 };
      this.kernels.set(kernel, amounts);
    }
    amounts.dispatches += dispatches;
    amounts.flops += flops;
    amounts.bytes += bytes;
  }

  addAll({ kernels }: Cost): void {
    for (const [kernel, amounts] of kernels) this.add(kernel, amounts, amounts.dispatches);
  }
}

/** A copy passes for a kernel of this name, which reads and writes its bytes. */
export const COPY = 'copy';
export const copyWork = (bytes: number): Work => ({ flops: 0, bytes: 2 * bytes });

/** When a submit was noticed to be done. */
export interface Notice {
  now: number;
  /** How much earlier that may have been at the most, because the host was busy. */
  lateMs: number;
  /** How late the platform notices at any time. */
  latencyMs: number;
  /** Whether the GPU has nothing more to do. */
  last: boolean;
}

interface Kernel {
  /** Milliseconds for one of each. */
  rates: Amounts;
  /** What the last dispatches took that were measured by themselves. */
  alone: number[];
}

/**
 * Predicts how long work takes on the GPU, from rates of each kernel that are measured as the GPU works: by when submits are
 * noticed to be done.
 */
export class CostModel {
  private readonly kernels = new Map<string, Kernel>();
  /** The measurement under way: since when, and of what. */
  private start = 0;
  private measured = new Cost();
  /** It began when the host may have been late to notice. */
  private uncertain = false;
  private lastDone = Number.NEGATIVE_INFINITY;

  constructor(private readonly adapterClass: AdapterDescription['class']) {}

  /** What dispatches of a kernel were seen to take at least; 0 while that is not known. */
  seenMs(kernel: string): number {
    const { alone } = this.kernel(kernel);
    return alone.length < PROOFS ? 0 : Math.min(...alone);
  }

  /** Milliseconds of one dispatch of a kernel. */
  dispatchMs(kernel: string, { flops, bytes }: Work): number {
    const { rates } = this.kernel(kernel);
    return rates.dispatches + flops * rates.flops + bytes * rates.bytes;
  }

  /** Milliseconds of a submit. */
  ms({ kernels }: Cost): number {
    let sum = 0;
    for (const [name, amounts] of kernels) sum += this.msOf(name, amounts);
    return sum;
  }

  /** Learns from a submit. */
  done(cost: Cost, submittedAt: number, { now, lateMs, latencyMs, last }: Notice): void {
    if (submittedAt > this.lastDone) this.restart(submittedAt, false); // the GPU was idle before
    this.lastDone = now;
    this.measured.addAll(cost);
    const elapsed = Math.max(now - this.start, CLOCK_MS);
    const long = elapsed >= Math.max(SHORTEST_MS, LATENCIES * latencyMs);
    const late = lateMs > Math.max(LATE_MS, LATE_SHARE * elapsed);
    // A short measurement is mostly latency, and so is a late one. But what took no longer than that did not take longer.
    const fast = last && elapsed < this.ms(this.measured);
    if (!this.uncertain && ((long && !late) || fast)) this.learn(elapsed);
    if (long || late) this.restart(now, late);
  }

  private kernel(name: string): Kernel {
    let kernel = this.kernels.get(name);
    if (!kernel) {
      kernel = { rates: { ...PESSIMISTIC[this.adapterClass] }, alone: [] };
      this.kernels.set(name, kernel);
    }
    return kernel;
  }

  private msOf(name: string, amounts: Amounts): number {
    const { rates } = this.kernel(name);
    let sum = 0;
    for (const kind of KINDS) sum += amounts[kind] * rates[kind];
    return sum;
  }

  private restart(start: number, uncertain: boolean): void {
    this.start = start;
    this.uncertain = uncertain;
    this.measured = new Cost();
  }

  /**
   * Moves the rates of what was measured so that the prediction would have been right: each the more, the larger its share
   * in it. Normalised least mean squares, but multiplicative: little is known of a rate but its order of magnitude.
   */
  private learn(elapsed: number): void {
    const predicted = this.ms(this.measured);
    if (predicted === 0) return;
    const change = Math.min(Math.max(elapsed / predicted, FASTER), SLOWER);
    const shares: { kernel: Kernel; kind: keyof Amounts; share: number }[] = [];
    for (const [name, amounts] of this.measured.kernels) {
      const kernel = this.kernel(name);
      for (const kind of KINDS)
        shares.push({ kernel, kind, share: (amounts[kind] * kernel.rates[kind]) / predicted });
      if (amounts.dispatches === 1 && this.measured.kernels.size === 1)
        kernel.alone = [...kernel.alone, elapsed].slice(-PROOFS);
    }
    const squares = shares.reduce((sum, { share }) => sum + share ** 2, 0);
    for (const { kernel, kind, share } of shares)
      kernel.rates[kind] *= change ** Math.min(1, share / squares);
  }
}
