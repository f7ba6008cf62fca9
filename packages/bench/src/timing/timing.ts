import type { Device, Philox } from '@hrm-webgpu/core';

/** Something to time. */
export interface Candidate {
  name: string;
  /** Appends one execution to the device's stream, and frees what it made. */
  run(): void;
}

/** A candidate and how often to run it for one sample. */
export interface Calibrated {
  candidate: Candidate;
  runsPerSample: number;
  /** A first estimate. */
  msPerRun: number;
}

/** Times of a candidate: milliseconds a run, one for each round. */
export interface Timed extends Calibrated {
  samplesMs: number[];
}

/** Milliseconds that `runs` executions take together. */
export type Stopwatch = (candidate: Candidate, runs: number) => Promise<number>;

/**
 * A sample lasts at least about this long, far above the clock's grain and the cost of waiting for the GPU.
 */
export const SAMPLE_MS = 50;

/** Runs encoded before the clock starts, and between two submissions. The stream takes 512 dispatches. */
const RUNS_PER_SUBMISSION = 64;

/**
 * Wall-clock time on `device`, from the first submission until all is done. Encoding goes on while the GPU
 * works, so that it shows only where the host is slower than the GPU.
 */
export function deviceStopwatch(device: Device): Stopwatch {
  return async (candidate, runs) => {
    await device.stream.finish();
    let start: number | undefined;
    for (let done = 0; done < runs; ) {
      const batch = Math.min(RUNS_PER_SUBMISSION, runs - done);
      for (let i = 0; i < batch; i++) candidate.run();
      start ??= performance.now();
      device.stream.flush();
      done += batch;
    }
    await device.stream.finish();
    return performance.now() - (start ?? performance.now());
  };
}

/**
 * Finds how many runs make a sample of at least {@link SAMPLE_MS}. The first run, which compiles, does not
 * count; of two measurements the shorter does, lest a disturbance pass for a long run.
 */
export async function calibrate(candidate: Candidate, stopwatch: Stopwatch): Promise<Calibrated> {
  const measure = async (runs: number) =>
    Math.min(await stopwatch(candidate, runs), await stopwatch(candidate, runs));
  await stopwatch(candidate, 1);
  let runsPerSample = 1;
  let ms = await measure(runsPerSample);
  while (ms < SAMPLE_MS) {
    const wanted = Math.ceil((1.2 * SAMPLE_MS * runsPerSample) / ms); // Infinity for 0 ms
    runsPerSample = Math.min(Math.max(wanted, runsPerSample + 1), 8 * runsPerSample);
    ms = await measure(runsPerSample);
  }
  return { candidate, runsPerSample, msPerRun: ms / runsPerSample };
}

/**
 * Times candidates by turns: one sample of each of the `groups`' members, groups in an order drawn anew each round and
 * members within their group too, so that what slows the machine for a while, and what a candidate leaves in the
 * caches, falls on all of them alike. Members of a group, which are to be compared, come right after each other. What
 * stands there several times gets several samples.
 */
export async function timeRound(
  groups: readonly (readonly Timed[])[],
  stopwatch: Stopwatch,
  random: Philox,
): Promise<void> {
  for (const group of random.shuffle([...groups])) {
    for (const { candidate, runsPerSample, samplesMs } of random.shuffle([...group])) {
      samplesMs.push((await stopwatch(candidate, runsPerSample)) / runsPerSample);
    }
  }
}

export const untimed = (entry: Calibrated): Timed => ({ ...entry, samplesMs: [] });

/** The one whose run takes least time. */
export function quickest(entries: readonly Calibrated[]): Calibrated {
  return entries.reduce((a, b) => (b.msPerRun < a.msPerRun ? b : a));
}
