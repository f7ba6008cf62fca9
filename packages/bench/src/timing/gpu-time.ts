/** Time on the GPU alone, by its own clock. */
import type { Device } from '@hrm-webgpu/core';
import { timesOf } from './profile-table.ts';
import { median } from './statistics.ts';
import type { Calibrated, Stopwatch } from './timing.ts';

const REPEATS = 3;
/** Enough to even out the grain of the GPU's clock. */
const MOST_RUNS = 100;

/**
 * The share of a run's time that the GPU spends in kernels, by timestamps around each dispatch; undefined where the
 * adapter has none. The rest is encoding, submitting and starting dispatches. Each reading stands next to one without
 * timestamps, so that both see the machine in the same state; the median counts.
 */
export async function gpuShare(
  device: Device,
  { candidate, runsPerSample }: Calibrated,
  stopwatch: Stopwatch,
): Promise<number | undefined> {
  const runs = Math.min(runsPerSample, MOST_RUNS);
  const shares: number[] = [];
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const wallMs = await stopwatch(candidate, runs);
    const times = await timesOf(device, candidate.run, runs);
    if (!times) return undefined;
    const gpuMs = times.reduce((sum, { ms }) => sum + ms, 0);
    shares.push(Math.min(1, gpuMs / wallMs));
  }
  return median(shares);
}
