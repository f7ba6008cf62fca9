import type { Device } from '@hrm-webgpu/core';
import type { RoundLimits } from './control.ts';
import type { Report } from './report.ts';

/**
 * A benchmark in full tells changes of a few per cent; the quick form, for a first look and for reports from many machines,
 * takes a few samples of everything.
 */
export type Form = 'full' | 'quick';

/** Seconds that a benchmark takes on a software adapter with two cores, by form; some have no quick one. */
export type Duration = Readonly<{ full: number; quick?: number }>;

/** What a benchmark gets to work with. */
export interface BenchmarkContext {
  device: Device;
  /** The parts that were asked for; all of the benchmark's where none were, and none where it has no parts. */
  parts: readonly string[];
  /** How thorough to be. */
  form: Form;
  /** Tells the user what goes on; not part of the results. */
  note(text: string): void;
}

/**
 * One benchmark, in a file of its own and listed in `benchmarks.ts`. It checks what it times before it times
 * it, and carries a control.
 */
export interface Benchmark {
  /** What the command line calls it. */
  name: string;
  /** One line for the list of benchmarks. */
  summary: string;
  /** What is measured and how, for `--help`. */
  description: string;
  /** What can be run by itself, by name. */
  parts?: readonly string[];
  /** What a part is called, where one must be named: all would take too long. */
  choose?: string;
  /** Those of the quick form, where it leaves some out. */
  quickParts?: readonly string[];
  duration: Duration;
  /** Needs files of the checkout, such as other engines' lock files or the scripts that pack the library. */
  needsCheckout?: true;
  /** Is about the engine's own kernels, or about none: it is not run with shaders from a folder. */
  ownKernels?: true;
  run(context: BenchmarkContext): Promise<Report>;
}

/** The limits of a benchmark's rounds in a form. */
export function roundsOf(form: Form, full: RoundLimits): RoundLimits {
  return form === 'full' ? full : { fewest: 3, most: 9, ms: 6000, control: QUICK_CONTROL };
}

/** Enough to see that a machine is not all noise. */
const QUICK_CONTROL = { ms: 6000, fewestPairs: 30, width: 0.3 };
