/** What a benchmark in the page comes to; everything here can be sent from the worker. */
import type { Bar, Control, Form, PlotPoint, Roofline } from 'hrm-webgpu-bench/page';

export interface Listed {
  name: string;
  summary: string;
  /** Seconds on a software adapter in Node, by form. */
  duration: { full: number; quick?: number };
}

export interface BenchRequest {
  name: string;
  form: Form;
}

/** A benchmark that came to its end. */
export interface Finding {
  benchmark: string;
  title: string;
  form: Form;
  /** The adapter and the browser, for people. */
  adapter: string;
  software: boolean;
  browser: string;
  /** Of the device, by WebGPU's names. */
  limits: Readonly<Record<string, number>>;
  date: string;
  /** The first row is the header. */
  table: readonly (readonly string[])[];
  controls: readonly Control[];
  bars: readonly Bar[];
  shown: readonly string[];
  skipped: readonly string[];
  roofline?: Pick<Roofline, 'fmaGflops' | 'copyGBs'>;
  /** What computes something, under the roofline. */
  points: readonly PlotPoint[];
}

export interface BenchOutcome {
  finding: Finding;
  /** What `bench compare` reads. */
  document: string;
}
