import { Philox } from '@hrm-webgpu/core';
import { describe, expect, it } from 'vitest';
import { pairsNeeded, timeWithControl } from '../../src/report/control.ts';
import { CONTROL_WIDTH } from '../../src/report/report.ts';
import type { Stopwatch } from '../../src/timing/timing.ts';

const calibrated = (name: string, msPerRun: number) => ({
  candidate: { name, run: () => {} },
  runsPerSample: 10,
  msPerRun,
});
const short = calibrated('short', 5);
const long = calibrated('long', 20);
const LIMITS = { fewest: 15, most: 40, ms: 60_000 };

/** A normal deviate (Box & Muller). */
const normal = (random: Philox) =>
  Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());

/** A machine whose times scatter log-normally by `sigma`, and that `drift` slows from sample to sample. */
function machine(sigma: number, seed: number, drift: (sample: number) => number = () => 1) {
  const random = new Philox(seed, 9);
  const seen: string[] = [];
  const stopwatch: Stopwatch = async ({ name }, runs) => {
    seen.push(name);
    const ms = name === 'short' ? 5 : 20;
    return runs * ms * Math.exp(sigma * normal(random)) * drift(seen.length);
  };
  return { stopwatch, seen };
}

function time(stopwatch: Stopwatch, seed = 1) {
  return timeWithControl([short, long], short, stopwatch, LIMITS, new Philox(seed), () => {});
}

describe('timeWithControl', () => {
  it('samples each candidate once a round, and needs few pairs on a quiet machine', async () => {
    const { stopwatch, seen } = machine(0.001, 1);
    const { timed, control } = await time(stopwatch);
    expect(timed.map(({ candidate, samplesMs }) => [candidate.name, samplesMs.length])).toEqual([
      ['short', 40],
      ['long', 40],
    ]);
    expect(control).toMatchObject({ name: 'short against itself', ok: true });
    // 40 rounds of 'long', and one to warm up; 'short' has the same, and 100 pairs, or as many as whole rounds make.
    expect(seen.filter((name) => name === 'long')).toHaveLength(41);
    const pairs = (seen.filter((name) => name === 'short').length - 42) / 2;
    expect(pairs).toBeGreaterThanOrEqual(100);
    expect(pairs).toBeLessThan(132);
  });

  it('takes pairs enough for a narrow interval when samples scatter by 12 %', async () => {
    for (let seed = 1; seed <= 10; seed++) {
      const { control } = await time(machine(0.12, seed).stopwatch, seed);
      expect(control.high - control.low, `seed ${seed}`).toBeLessThanOrEqual(CONTROL_WIDTH);
    }
  });

  it('does not mind a machine that slows down for a while', async () => {
    const drift = (sample: number) => (sample % 300 < 100 ? 2 : 1);
    const { control } = await time(machine(0.02, 3, drift).stopwatch);
    expect(control.high - control.low).toBeLessThanOrEqual(CONTROL_WIDTH);
  });

  it('fails the control, after a limited time, on a machine that is all noise', async () => {
    const { stopwatch, seen } = machine(1.5, 4);
    const { control } = await time(stopwatch);
    expect(control.ok).toBe(false);
    expect(control.high - control.low).toBeGreaterThan(CONTROL_WIDTH);
    expect(seen.length * 50).toBeLessThan(200_000); // milliseconds by the estimate of a sample
  });

  it('passes about 95 % of the time where there is nothing to find', async () => {
    const trials = 200;
    let passed = 0;
    for (let seed = 1; seed <= trials; seed++) {
      if ((await time(machine(0.05, 50 + seed).stopwatch, 50 + seed)).control.ok) passed += 1;
    }
    // Three standard errors, 1.5 % each, below.
    expect(passed / trials).toBeGreaterThan(0.9);
    expect(passed / trials).toBeLessThan(1);
  });
});

describe('pairsNeeded', () => {
  it('grows with the square of the scatter', () => {
    const scattered = (sigma: number) =>
      [1, 2].map((stream) => {
        const random = new Philox(5, stream);
        return Array.from({ length: 400 }, () => Math.exp(sigma * normal(random)));
      });
    const [few, many] = [0.05, 0.15].map((sigma) => {
      const [a, b] = scattered(sigma);
      return pairsNeeded(a, b);
    });
    expect(many / few).toBeCloseTo(9, 0);
    // 2·1.96·√(π/2)·√2·0.05/(0.75·0.06) squared = 60.
    expect(few).toBeGreaterThan(45);
    expect(few).toBeLessThan(80);
  });

  it('does not look at the middle of the ratios', () => {
    const random = new Philox(6);
    const a = Array.from({ length: 24 }, () => 1 + 0.1 * random.uniform());
    const b = Array.from({ length: 24 }, () => 1 + 0.1 * random.uniform());
    expect(
      pairsNeeded(
        a.map((value) => 2 * value),
        b,
      ),
    ).toBe(pairsNeeded(a, b));
  });
});
