import type { Device, Philox } from '@hrm-webgpu/core';
import { timeGroupsWithControl } from '../report/control.ts';
import type { Control } from '../report/report.ts';
import { medianOfRatios, type Ratio } from '../timing/statistics.ts';
import {
  type Calibrated,
  type Candidate,
  calibrate,
  deviceStopwatch,
  quickest,
  type Stopwatch,
  type Timed,
} from '../timing/timing.ts';
import { compareResults } from './compare.ts';
import type { PeerProcess } from './peer-process.node.ts';
import type { Part, PeerName, Task } from './task.ts';

/** A peer that takes part. */
export interface Contestant {
  name: PeerName;
  process: PeerProcess;
}

/** The times of one task. */
export interface Contest {
  task: Task;
  ours: Timed;
  peers: PeerTimes[];
  /** GPU bytes of ours at the peak of one run, for tasks that compare memory. */
  peakBytes?: number;
}

export interface PeerTimes {
  name: PeerName;
  timed: Timed;
  /** Peer over ours: the median over the rounds. */
  speedup: Ratio;
  /** The largest difference between the peer's results and ours, as a share of what is allowed. */
  difference: number;
  /** GPU bytes at the peak of one run. */
  peakBytes: number;
}

/** A peer's side of a task: runs in its own process. */
interface PeerCandidate extends Candidate {
  measure(runs: number): Promise<number>;
}

/** As many rounds as take about two minutes, and enough for an interval: some peers take seconds a run. */
const ROUNDS = { fewest: 9, most: 51, ms: 120_000 };

/**
 * Samples of ours last about as long as a peer's, so that the same disturbances fall on both: many runs of a quick one.
 */
const OUR_SAMPLE_MS = 200;

/** All tasks of a part ready to be timed, with what is known of them before. */
interface Entry {
  task: Task;
  ours: Calibrated;
  peers: PeerEntry[];
  peakBytes?: number;
}

interface PeerEntry {
  name: PeerName;
  calibrated: Calibrated;
  difference: number;
  peakBytes: number;
}

/**
 * Checks that all compute the same, then times the tasks by turns, ours and the peers' of a task right after each other:
 * while one works, the others wait for it.
 *
 * @throws UserError when a peer computes something else, or fails
 */
export async function holdContests(
  device: Device,
  tasks: readonly Task[],
  contestants: readonly Contestant[],
  random: Philox,
  note: (text: string) => void,
  makeControl?: Part['control'],
): Promise<{ contests: Contest[]; control: Control }> {
  const stopwatch = stopwatchFor(device);
  const entries: Entry[] = [];
  for (const task of tasks) {
    note(`comparing results: ${task.name}…`);
    entries.push(await prepare(device, task, contestants, stopwatch));
  }
  const groups = entries.map(({ ours, peers }) => [ours, ...peers.map((peer) => peer.calibrated)]);
  // Made only now: memory has been measured.
  const own = await makeControl?.();
  const controlled = own ? await calibrate(own, stopwatch) : quickest(entries.map(({ ours }) => ours));
  const { timed, control } = await timeGroupsWithControl(groups, controlled, stopwatch, ROUNDS, random, note);
  own?.dispose();
  const timesOf = ({ candidate }: Calibrated) =>
    timed.find((times) => times.candidate === candidate) as Timed;
  const contests = entries.map(({ task, ours, peers, peakBytes }): Contest => {
    const ourTimes = timesOf(ours);
    const peerTimes = peers.map(({ name, calibrated, difference, peakBytes }): PeerTimes => {
      const times = timesOf(calibrated);
      const speedup = medianOfRatios(times.samplesMs, ourTimes.samplesMs);
      return { name, timed: times, speedup, difference, peakBytes };
    });
    return { task, ours: ourTimes, peers: peerTimes, peakBytes };
  });
  return { contests, control };
}

async function prepare(
  device: Device,
  task: Task,
  contestants: readonly Contestant[],
  stopwatch: Stopwatch,
): Promise<Entry> {
  const results = await task.results();
  const peakBytes = task.memoryGoal ? await peakOf(device, task) : undefined;
  const peers: PeerEntry[] = [];
  for (const contestant of contestants) peers.push(await preparePeer(contestant, task, results, stopwatch));
  const ours = await calibrate(task, stopwatch);
  const runsPerSample = Math.max(ours.runsPerSample, Math.round(OUR_SAMPLE_MS / ours.msPerRun));
  return { task, ours: { ...ours, runsPerSample }, peers, peakBytes };
}

/**
 * Compares a peer's results with ours, and finds its memory and how often to run it.
 *
 * @throws UserError when the peer computes something else, or fails
 */
export async function preparePeer(
  { name, process }: Contestant,
  task: Task,
  ours: Awaited<ReturnType<Task['results']>>,
  stopwatch: Stopwatch,
): Promise<PeerEntry> {
  const { name: peerTask, params } = task.peerTask;
  const theirs = await process.prepare(task.name, peerTask, params, task.tensors);
  const difference = compareResults(`${name}, ${task.name}`, ours, theirs, task.tolerance);
  // Of one run, like ours: some peers keep the results of all runs of a sample.
  const { peakBytes } = await process.run(task.name, 1);
  const candidate: PeerCandidate = {
    name: `${name}, ${task.name}`,
    run: () => {},
    measure: async (runs) => (await process.run(task.name, runs)).ms,
  };
  return { name, calibrated: await calibrate(candidate, stopwatch), difference, peakBytes };
}

/** Our GPU, or a peer's own clock. */
function stopwatchFor(device: Device): Stopwatch {
  const ours = deviceStopwatch(device);
  return (candidate, runs) =>
    'measure' in candidate ? (candidate as PeerCandidate).measure(runs) : ours(candidate, runs);
}

/** GPU bytes at the peak of one run, with everything that the task keeps between runs. */
async function peakOf(device: Device, task: Task): Promise<number> {
  await device.stream.finish();
  device.resetPeakMemory();
  task.run();
  await device.stream.finish();
  return device.memory.peakBytes;
}
