import { Philox } from '@hrm-webgpu/core';
import { describe, expect, it } from 'vitest';
import { calibrate, SAMPLE_MS, type Stopwatch, timeInterleaved } from '../src/timing.ts';

const candidate = (name: string) => ({ name, run: () => {} });

describe('calibrate', () => {
  it.each([0.004, 0.9, 12, 300])('finds enough runs of %d ms for a sample, and not many more', async (ms) => {
    const compile = 5000; // the first call only
    let calls = 0;
    const stopwatch: Stopwatch = async (_, runs) => (calls++ === 0 ? compile : 0.05 + ms * runs);
    const { runsPerSample, msPerRun } = await calibrate(candidate('x'), stopwatch);
    expect(runsPerSample * ms).toBeGreaterThanOrEqual(SAMPLE_MS - 0.05);
    expect((runsPerSample - 1) * ms).toBeLessThan(1.5 * SAMPLE_MS);
    expect(msPerRun).toBeCloseTo(ms, 0);
  });

  it('ends even where a run takes no measurable time at first', async () => {
    const stopwatch: Stopwatch = async (_, runs) => (runs < 100 ? 0 : runs);
    expect((await calibrate(candidate('x'), stopwatch)).runsPerSample).toBeGreaterThanOrEqual(100);
  });
});

it('timeInterleaved samples everything once a round, in changing order, after a warm-up round', async () => {
  const entries = ['a', 'b', 'c'].map((name, i) => ({
    candidate: candidate(name),
    runsPerSample: i + 1,
    msPerRun: 1,
  }));
  const order: string[] = [];
  const stopwatch: Stopwatch = async ({ name }, runs) => {
    order.push(name);
    return 10 * runs;
  };
  const timed = await timeInterleaved(entries, stopwatch, 20, new Philox(1));
  expect(timed.map(({ candidate, samplesMs }) => [candidate.name, samplesMs])).toEqual(
    ['a', 'b', 'c'].map((name) => [name, new Array(20).fill(10)]),
  );
  const rounds = Array.from({ length: 21 }, (_, i) => order.slice(3 * i, 3 * i + 3));
  for (const round of rounds) expect([...round].sort()).toEqual(['a', 'b', 'c']);
  expect(new Set(rounds.map((round) => round.join())).size).toBeGreaterThan(3);
});
