import { type Bar, type Control, formatRatio, makeBar, type Report, type Result } from '../report/report.ts';
import { median } from '../timing/statistics.ts';
import { significant } from '../timing/table.ts';
import type { Contest } from './contest.ts';
import type { Part } from './task.ts';

/** A part and the contests held for its tasks. */
export interface PartResult {
  part: Part;
  contests: readonly Contest[];
  control: Control;
}

const GIB = 2 ** 30;

/** The report on the parts that were run. `settings` is how, for the record. */
export function reportOf(parts: readonly PartResult[], settings: Record<string, unknown>): Report {
  const contests = parts.flatMap(({ contests }) => contests);
  return {
    title: 'hrm-webgpu against jax-js and TensorFlow.js, on one adapter',
    settings,
    results: contests.flatMap(resultsOf),
    table: [
      ['', 'ours ms', 'jax-js ms', 'tfjs ms', '× jax-js [95 %]', '× tfjs [95 %]'],
      ...contests.map(rowOf),
    ],
    skipped: [],
    controls: parts.map(({ part, control }) => ({ ...control, name: `${part.name}: ${control.name}` })),
    bars: parts.flatMap(barsOf),
  };
}

function barsOf({ part, contests }: PartResult): Bar[] {
  return contests.flatMap(({ task, ours, peers, peakBytes }) =>
    peers.flatMap(({ name, timed, speedup, peakBytes: theirBytes }) => {
      const goal = part.goals[name];
      if (goal === undefined) return [];
      const [rate, theirRate] = [ours, timed].map(({ samplesMs }) => 1000 / median(samplesMs));
      const against = `${task.name}: ≥ ${goal} × ${name}`;
      const bars = [makeBar(against, rate, theirRate, 'runs/s', goal, speedup.ratio)];
      if (task.memoryGoal !== undefined && peakBytes !== undefined) {
        const share = `${name} needs ≥ ${task.memoryGoal} × our GPU memory`;
        // A bar wants more to be better: runs that fit into a GiB.
        const [fit, theirFit] = [peakBytes, theirBytes].map((bytes) => GIB / bytes);
        bars.push(makeBar(`${task.name}: ${share}`, fit, theirFit, 'runs a GiB', task.memoryGoal));
      }
      return bars;
    }),
  );
}

/** A result for each side, and one for the memory of each where that is compared. */
function resultsOf({ task, ours, peers, peakBytes }: Contest): Result[] {
  const times = (side: string, { runsPerSample, samplesMs }: Contest['ours']) => ({
    name: `${task.name}, ${side}`,
    medianMs: median(samplesMs),
    runsPerSample,
    samplesMs,
  });
  const memory = (side: string, peakBytes: number) => ({
    name: `${task.name}, memory of ${side}`,
    peakBytes,
  });
  return [
    times('ours', ours),
    ...peers.map(({ name, timed, speedup, difference }) => ({
      ...times(name, timed),
      speedup,
      largestDifference: difference,
    })),
    ...(peakBytes === undefined
      ? []
      : [memory('ours', peakBytes), ...peers.map((peer) => memory(peer.name, peer.peakBytes))]),
  ];
}

function rowOf({ task, ours, peers }: Contest): string[] {
  const cells = (['jax-js', 'tfjs'] as const).map((name) => {
    const peer = peers.find((candidate) => candidate.name === name);
    return peer ? [significant(median(peer.timed.samplesMs)), formatRatio(peer.speedup)] : ['–', '–'];
  });
  return [task.name, significant(median(ours.samplesMs)), cells[0][0], cells[1][0], cells[0][1], cells[1][1]];
}
