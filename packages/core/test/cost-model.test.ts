import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Philox } from '../src/random.ts';
import { Cost, CostModel } from '../src/submits/cost-model.ts';
import { Heartbeat } from '../src/submits/heartbeat.ts';
import { resumeTime, stopTime } from './fake-clock.ts';

const FLOPS = { flops: 1e8, bytes: 0 };

function costOf(...kernels: string[]): Cost {
  const cost = new Cost();
  for (const kernel of kernels) cost.add(kernel, FLOPS);
  return cost;
}

const prompt = { lateMs: 0, latencyMs: 0, last: false };

/** Measures submits of 20 ms that follow each other. */
function measure(model: CostModel, count: number, cost = costOf('a'), ms = 20, from = 0): void {
  for (let i = 1; i <= count; i++) model.done(cost, from, { ...prompt, now: from + i * ms });
}

describe('predictions', () => {
  it('are those of a slow adapter of the class at first', () => {
    expect(new CostModel('gpu').dispatchMs('a', { flops: 1e11, bytes: 0 })).toBeCloseTo(1000, 0);
    expect(new CostModel('gpu').dispatchMs('a', { flops: 0, bytes: 5e9 })).toBeCloseTo(1000, 0);
    expect(new CostModel('software').dispatchMs('a', { flops: 5e9, bytes: 0 })).toBeCloseTo(1000, 0);
  });

  it('come near what is measured, faster or slower, and of one kernel alone', () => {
    for (const ms of [20, 3000]) {
      const model = new CostModel('software'); // 20.1 ms of a
      const before = model.dispatchMs('b', FLOPS);
      measure(model, 20, costOf('a', 'a'), ms);
      expect(model.ms(costOf('a', 'a')) / ms).toBeCloseTo(1, 1);
      expect(model.dispatchMs('b', FLOPS)).toBe(before);
    }
  });

  it('tell kernels apart that are only ever measured together', () => {
    const random = new Philox(2);
    const truth = { a: 1, b: 10, c: 40 };
    const model = new CostModel('software');
    let now = 0;
    for (let i = 0; i < 400; i++) {
      const names = Array.from({ length: 6 }, () => (['a', 'b', 'c'] as const)[random.below(3)]);
      const noise = 0.9 + 0.2 * random.uniform();
      now += noise * names.reduce((sum, name) => sum + truth[name], 0);
      model.done(costOf(...names), 0, { ...prompt, now });
    }
    expect(model.dispatchMs('c', FLOPS) / 40).toBeGreaterThan(0.8);
    expect(model.dispatchMs('c', FLOPS) / 40).toBeLessThan(1.2);
    expect(model.dispatchMs('b', FLOPS) / 10).toBeGreaterThan(0.6);
    expect(model.dispatchMs('b', FLOPS) / 10).toBeLessThan(1.6);
  });

  it('are proved by dispatches that were measured by themselves', () => {
    const model = new CostModel('software');
    measure(model, 2, costOf('a'), 30);
    measure(model, 9, costOf('b', 'b'), 50, 100);
    measure(model, 9, costOf('b', 'a'), 50, 1000);
    expect(model.seenMs('a')).toBe(0);
    measure(model, 1, costOf('a'), 35, 2000);
    expect(model.seenMs('a')).toBe(30);
    measure(model, 3, costOf('a'), 40, 3000);
    expect(model.seenMs('a')).toBe(40);
    expect(model.seenMs('b')).toBe(0);
  });
});

describe('a measurement', () => {
  let model: CostModel;
  let before: number;
  beforeEach(() => {
    model = new CostModel('software');
    measure(model, 20);
    before = model.dispatchMs('a', FLOPS);
    expect(before).toBeCloseTo(20, 0);
  });

  it('does not count the time in which there was nothing to do', () => {
    model.done(costOf('a'), 5000, { ...prompt, now: 5020 });
    expect(model.dispatchMs('a', FLOPS)).toBeCloseTo(before, 1);
  });

  it('that holds a stop of the host changes little', () => {
    model.done(costOf('a'), 0, { ...prompt, now: 9000 });
    expect(model.dispatchMs('a', FLOPS)).toBeLessThan(2.01 * before);
    measure(model, 5, costOf('a'), 20, 10_000);
    expect(model.dispatchMs('a', FLOPS)).toBeCloseTo(before, 0);
  });

  it('is left out where the host is known to have been late, and so is the next', () => {
    model.done(costOf('a'), 0, { ...prompt, now: 900, lateMs: 480 });
    model.done(costOf('a'), 0, { ...prompt, now: 912 });
    expect(model.dispatchMs('a', FLOPS)).toBe(before);
    model.done(costOf('a'), 0, { ...prompt, now: 952 });
    expect(model.dispatchMs('a', FLOPS)).toBeGreaterThan(1.5 * before);
  });

  it('lasts long enough where the platform notices late', () => {
    // Submits of 20 ms, noticed by threes every 60 ms or so.
    const late = { ...prompt, latencyMs: 60 };
    for (let i = 1; i <= 60; i++)
      model.done(costOf('a'), 400, { ...late, now: 400 + 60 * Math.ceil(i / 3) + (i % 2) });
    expect(model.dispatchMs('a', FLOPS) / before).toBeGreaterThan(0.7);
    expect(model.dispatchMs('a', FLOPS) / before).toBeLessThan(1.4);
  });

  it('too short to tell more shows only that something was quicker', () => {
    const short = { ...prompt, last: true };
    for (let i = 1; i < 50; i++) model.done(costOf('a'), 1000 * i, { ...short, now: 1000 * i + 5 });
    expect(model.dispatchMs('a', FLOPS)).toBeCloseTo(5, 0);
    for (let i = 50; i < 90; i++) model.done(costOf('a'), 1000 * i, { ...short, now: 1000 * i + 9 });
    expect(model.dispatchMs('a', FLOPS)).toBeCloseTo(5, 0);
  });
});

describe('the heartbeat', () => {
  beforeEach(stopTime);
  afterEach(() => {
    vi.restoreAllMocks();
    resumeTime();
  });

  it('tells how late something may be noticed', () => {
    const heartbeat = new Heartbeat();
    heartbeat.start();
    vi.advanceTimersByTime(1005);
    expect(heartbeat.lateMs(performance.now())).toBe(5);
    // For a while only the clock goes on, and no timer.
    const now = performance.now.bind(performance);
    let ahead = 500;
    vi.spyOn(performance, 'now').mockImplementation(() => now() + ahead);
    expect(heartbeat.lateMs(performance.now())).toBe(505);
    vi.advanceTimersByTime(6); // a beat, but what was noticed may have happened before it
    expect(heartbeat.lateMs(performance.now())).toBe(511);
    vi.advanceTimersByTime(1000);
    expect(heartbeat.lateMs(performance.now())).toBeLessThan(11);
    ahead = 0;
    heartbeat.stop();
    expect(vi.getTimerCount()).toBe(0);
  });
});
