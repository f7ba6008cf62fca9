/** What repeated timestamps of a step say. */
import { median, quantile } from '../../../timing/statistics.ts';
import type { Stamp } from './stamps.ts';

/** The time of a dispatch over the repeats. */
export interface DispatchTime {
  /** Milliseconds: the median, and the middle half. Absent where fewer than half of its stamps can be used. */
  ms?: number;
  quartilesMs?: readonly [number, number];
  /** How many of the repeats count. */
  used: number;
}

export interface Timeline {
  dispatches: readonly DispatchTime[];
  /** Of all dispatches together. */
  totalMs: number;
  /** The middle half of the repeats' totals. */
  quartilesMs: readonly [number, number];
  repeats: number;
  /** Stamps that were dropped: the end is before the beginning. */
  negative: number;
  /** Stamps that were dropped: shorter than four steps of the clock. */
  coarse: number;
  /** The steps that the clock makes, in nanoseconds; 1 where none shows. */
  stepNs: number;
  /** Which of the repeats took the median time. */
  typical: number;
}

/** A duration of fewer steps of the clock says little. */
const LEAST_STEPS = 4;
/** Larger steps are a clock that is quantised: browsers round to 100 µs, some GPUs to 65.5 µs. */
const FINE_NS = 1000;

/** @param repeats the stamps of each, of the same dispatches */
export function timelineOf(repeats: readonly (readonly Stamp[])[]): Timeline {
  const durations = repeats.map((stamps) =>
    stamps.map(({ begin, end }) => Number(BigInt.asIntN(64, end - begin))),
  );
  const stepNs =
    durations
      .flat()
      .filter((ns) => ns > 0)
      .reduce(commonStep, 0) || 1;
  const least = stepNs >= FINE_NS ? LEAST_STEPS * stepNs : 0;
  const dropped = { negative: 0, coarse: 0 };
  const usable = (ns: number) => {
    if (ns < 0) dropped.negative += 1;
    else if (ns < least) dropped.coarse += 1;
    return ns >= Math.max(least, 0);
  };
  const dispatches = durations[0].map((_, i): DispatchTime => {
    const used = durations.map((repeat) => repeat[i]).filter(usable);
    if (2 * used.length < repeats.length) return { used: used.length };
    const [ms, low, high] = [0.5, 0.25, 0.75].map((share) => quantile(used, share) / 1e6);
    return { ms, quartilesMs: [low, high], used: used.length };
  });
  const totals = totalsOf(durations);
  const middle = median(totals);
  return {
    dispatches,
    totalMs: dispatches.reduce((sum, { ms = 0 }) => sum + ms, 0),
    quartilesMs: [quantile(totals, 0.25), quantile(totals, 0.75)],
    repeats: repeats.length,
    ...dropped,
    stepNs,
    typical: totals.reduce(
      (best, total, i) => (Math.abs(total - middle) < Math.abs(totals[best] - middle) ? i : best),
      0,
    ),
  };
}

/** Milliseconds of each repeat, those stamps left out that go backwards. */
const totalsOf = (durations: readonly (readonly number[])[]) =>
  durations.map((repeat) => repeat.reduce((sum, ns) => sum + Math.max(0, ns), 0) / 1e6);

/** The greatest common divisor: what all durations are multiples of. */
function commonStep(a: number, b: number): number {
  return b === 0 ? a : commonStep(b, a % b);
}

/** How far the middle half of the repeats is from end to end, as a share of their median. */
export function spreadOf(repeats: readonly (readonly Stamp[])[]): number {
  const totals = totalsOf(
    repeats.map((stamps) => stamps.map(({ begin, end }) => Number(BigInt.asIntN(64, end - begin)))),
  );
  return (quantile(totals, 0.75) - quantile(totals, 0.25)) / median(totals);
}

/** An event of the Trace Event Format, which Chrome (about:tracing) and Perfetto (ui.perfetto.dev) read. */
export interface TraceEvent {
  name: string;
  cat: string;
  ph: 'X' | 'M';
  /** Microseconds. */
  ts: number;
  dur?: number;
  pid: number;
  tid: number;
  args: Record<string, unknown>;
}

/**
 * One repeat as events, at its own stamps; dispatches whose stamps cannot be used are left out.
 *
 * @param describe what a dispatch is called, and what else is to be known of it
 */
export function traceEvents(
  stamps: readonly Stamp[],
  { dispatches }: Timeline,
  title: string,
  describe: (dispatch: number) => { name: string; args: Record<string, unknown> },
): TraceEvent[] {
  const place = { cat: 'gpu', pid: 1, tid: 1 };
  const start = stamps.reduce((least, { begin }) => (begin < least ? begin : least), stamps[0].begin);
  const micros = (stamp: bigint) => Number(stamp - start) / 1000;
  const named = (name: string, what: string): TraceEvent => ({
    ...place,
    name,
    ph: 'M',
    ts: 0,
    args: { name: what },
  });
  return [
    named('process_name', title),
    named('thread_name', 'GPU'),
    ...stamps.flatMap(({ begin, end }, i): TraceEvent[] => {
      const { ms, quartilesMs, used } = dispatches[i];
      if (ms === undefined || end < begin) return [];
      const { name, args } = describe(i);
      return [
        {
          ...{ ...place, name, ph: 'X', ts: micros(begin), dur: Number(end - begin) / 1000 },
          args: { ...args, dispatch: i, medianMs: ms, quartilesMs, repeats: used },
        },
      ];
    }),
  ];
}
