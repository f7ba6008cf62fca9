import { describe, expect, it } from 'vitest';
import { spreadOf, timelineOf, traceEvents } from '../../../src/lab/seeing/trace/timeline.ts';

/** Dispatches one after the other, 10 ns apart, of these durations. */
function stamps(...durations: number[]) {
  let now = 5_000_000_000n;
  return durations.map((ns) => {
    const begin = now;
    now += BigInt(Math.max(0, ns)) + 10n;
    return { begin, end: begin + BigInt(ns) };
  });
}

describe('timelineOf', () => {
  it('takes the median of the repeats, dispatch by dispatch', () => {
    const timeline = timelineOf([stamps(1003, 2000), stamps(3001, 2000), stamps(5002, 2000)]);
    expect(timeline.dispatches.map(({ ms }) => ms)).toEqual([0.003001, 0.002]);
    expect(timeline).toMatchObject({ repeats: 3, negative: 0, coarse: 0, stepNs: 1, typical: 1 });
    expect(timeline.totalMs).toBeCloseTo(0.005001, 9);
  });

  it('drops stamps that go backwards, and a dispatch with more of them than others', () => {
    const repeats = [stamps(1003, -40), stamps(1001, -7), stamps(-3, 2000)];
    const { dispatches, negative } = timelineOf(repeats);
    expect(negative).toBe(3);
    expect(dispatches[0]).toMatchObject({ used: 2, ms: 0.001002 });
    expect(dispatches[1]).toEqual({ used: 1 });
  });

  it('drops what is shorter than four steps of a quantised clock', () => {
    const { dispatches, coarse, stepNs } = timelineOf([stamps(0, 655_360), stamps(65_536, 589_824)]);
    expect([stepNs, coarse]).toEqual([65_536, 2]);
    expect(dispatches[0]).toEqual({ used: 0 });
    expect(dispatches[1].ms).toBeCloseTo(0.622592, 9);
  });

  it('knows how far repeats are apart', () => {
    expect(spreadOf([stamps(100), stamps(100), stamps(100), stamps(100)])).toBe(0);
    expect(spreadOf([stamps(100), stamps(200), stamps(300)])).toBeCloseTo(0.5, 9);
  });
});

describe('traceEvents', () => {
  it('has the dispatches that can be told, at their times in microseconds', () => {
    const repeats = [stamps(1000, -5, 2003)];
    const events = traceEvents(repeats[0], timelineOf(repeats), 'a step', (i) => ({
      name: `kernel ${i}`,
      args: { op: `op ${i}` },
    }));
    expect(events.filter(({ ph }) => ph === 'M').map(({ args }) => args.name)).toEqual(['a step', 'GPU']);
    expect(events.filter(({ ph }) => ph === 'X')).toMatchObject([
      { name: 'kernel 0', ts: 0, dur: 1, args: { op: 'op 0', dispatch: 0, medianMs: 0.001 } },
      { name: 'kernel 2', ts: 1.02, dur: 2.003, args: { op: 'op 2', dispatch: 2 } },
    ]);
  });
});
