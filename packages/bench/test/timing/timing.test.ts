import { Philox } from '@hrm-webgpu/core';
import { describe, expect, it } from 'vitest';
import { calibrate, SAMPLE_MS, type Stopwatch, timeRound, untimed } from '../../src/timing/timing.ts';

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

it('timeRound samples every slot once, in changing order, the members of a group right after each other', async () => {
  const [a, b, c] = ['a', 'b', 'c'].map((name, i) =>
    untimed({ candidate: candidate(name), runsPerSample: i + 1, msPerRun: 1 }),
  );
  const order: string[] = [];
  const stopwatch: Stopwatch = async ({ name }, runs) => {
    order.push(name);
    return 10 * runs;
  };
  const random = new Philox(1);
  for (let round = 0; round < 20; round++) await timeRound([[a, b], [c], [c]], stopwatch, random);
  expect([a, b, c].map(({ samplesMs }) => samplesMs)).toEqual([20, 20, 40].map((n) => new Array(n).fill(10)));
  const rounds = Array.from({ length: 20 }, (_, i) => order.slice(4 * i, 4 * i + 4));
  for (const round of rounds) expect([...round].sort()).toEqual(['a', 'b', 'c', 'c']);
  for (const round of rounds) expect(round.join('')).toMatch(/ab|ba/);
  expect(new Set(rounds.map((round) => round.join())).size).toBeGreaterThan(4);
});
