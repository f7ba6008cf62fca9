/** What `bench all` found: one document a benchmark, and what they say together. */
import type { Form } from '../report/benchmark.ts';
import { DOCUMENT_FORMAT, documentOf } from '../report/document.ts';
import type { Provenance } from '../report/provenance.node.ts';
import { formatRoofline, passed, type Report } from '../report/report.ts';
import type { Roofline } from '../timing/roofline.ts';

/** A benchmark that came to its end. */
export interface Entry {
  benchmark: string;
  environment: Provenance;
  report: Report;
}

/** A benchmark that did not. */
export interface Failure {
  benchmark: string;
  message: string;
}

export interface Suite {
  form: Form;
  /** What runs it again. */
  command: string;
  /** Where and when it began; absent before the first benchmark. */
  environment?: Provenance;
  entries: Entry[];
  failed: Failure[];
}

/** The file that `bench compare` and docs/gpus read. */
export function suiteDocument({ form, command, environment, entries, failed }: Suite): object {
  return {
    format: DOCUMENT_FORMAT,
    suite: form,
    command,
    environment,
    documents: entries.map(({ benchmark, environment, report }) =>
      documentOf(benchmark, environment, report),
    ),
    failed,
  };
}

export function suitePassed({ entries, failed }: Suite): boolean {
  return failed.length === 0 && entries.every(({ report }) => passed(report));
}

/**
 * Whether other work ran on the machine: more than half a process wanted to run, on average over the minute before the
 * first benchmark. What is said of a machine may only be said of a quiet one.
 */
export function isShared({ environment }: { environment?: Pick<Provenance, 'load'> }): boolean {
  return environment !== undefined && environment.load > 0.5;
}

/** A result that has a time; rates and a share where they mean something. */
export interface Timing {
  benchmark: string;
  name: string;
  medianMs: number;
  quartilesMs?: readonly [number, number];
  gflops?: number;
  gbs?: number;
  /** Of what the roofline allows. */
  share?: number;
}

export function timingsOf(entries: readonly Entry[]): Timing[] {
  return entries.flatMap(({ benchmark, report }) =>
    (report.results as readonly Partial<Timing>[]).flatMap((result) =>
      result.medianMs === undefined ? [] : [{ ...result, benchmark } as Timing],
    ),
  );
}

/** The roofline in one line. */
export const rooflineText = (roofline: Roofline) =>
  formatRoofline(roofline)
    .map((line) => line.trim())
    .join(' ');
