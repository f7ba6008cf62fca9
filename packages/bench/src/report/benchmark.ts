import type { Device } from '@hrm-webgpu/core';
import type { Report } from './report.ts';

/** What a benchmark gets to work with. */
export interface BenchmarkContext {
  device: Device;
  /** The parts that were asked for; all of the benchmark's where none were, and none where it has no parts. */
  parts: readonly string[];
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
  run(context: BenchmarkContext): Promise<Report>;
}
