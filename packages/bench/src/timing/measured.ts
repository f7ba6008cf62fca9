import { median, quantile } from './statistics.ts';
import { significant } from './table.ts';
import type { Timed } from './timing.ts';

/** Something timed, and what follows from its times. */
export interface Measured {
  name: string;
  medianMs: number;
  quartilesMs: [number, number];
  gflops: number;
  runsPerSample: number;
  samplesMs: number[];
}

/** @param flops of one run */
export function measured({ candidate, runsPerSample, samplesMs }: Timed, flops: number): Measured {
  const medianMs = median(samplesMs);
  return {
    name: candidate.name,
    medianMs,
    quartilesMs: [quantile(samplesMs, 0.25), quantile(samplesMs, 0.75)],
    gflops: flops / medianMs / 1e6,
    runsPerSample,
    samplesMs,
  };
}

/** Cells of a table: name, median and middle half of the times in ms, GFLOP/s. */
export function measuredCells({ name, medianMs, quartilesMs, gflops }: Measured): string[] {
  return [name, significant(medianMs), quartilesMs.map(significant).join('–'), significant(gflops)];
}
