/**
 * Timing with a control: one candidate is timed under two more names, in the rounds of all others. See `makeControl`
 * for what their ratio must be.
 *
 * How many samples the control gets is decided by the scatter of its ratios alone, never by their middle: sampling until
 * the interval contains 1 would make any control pass. (Sequential estimation with a width given in advance: Chow &
 * Robbins, Annals of Mathematical Statistics 36, 1965.)
 */
import type { Philox } from '@hrm-webgpu/core';
import { medianOfRatios, quantile } from '../timing/statistics.ts';
import { type Calibrated, type Stopwatch, type Timed, timeRound, untimed } from '../timing/timing.ts';
import { CONTROL_WIDTH, type Control, makeControl } from './report.ts';

/** As many rounds as fit into `ms`, within the bounds. */
export interface RoundLimits {
  fewest: number;
  most: number;
  ms: number;
  /** What the control aims at; {@link FULL_CONTROL} where it is absent. */
  control?: ControlLimits;
}

/** How the control is timed. */
export interface ControlLimits {
  /** It takes no longer than this, even if its interval must then be too wide. */
  ms: number;
  /** Fewer tell too little of the scatter, and make the ends of the interval jump. */
  fewestPairs: number;
  /** Allowed width of its interval. */
  width: number;
}

const FULL_CONTROL: ControlLimits = { ms: 120_000, fewestPairs: 100, width: CONTROL_WIDTH };

/** The samples of the candidates, and what became of the control. */
export interface ControlledTimes {
  timed: Timed[];
  control: Control;
}

/** Rounds before the scatter is looked at, and the control's pairs in each of them. */
const PILOT = { rounds: 8, pairs: 3 };

/** The plan aims this much below the allowed width, since a hundred pairs tell the scatter only within a tenth or so. */
const MARGIN = 0.75;

/**
 * Times `entries` in rounds, by turns, and `controlled`, best a short one, under two more names. A first round warms up
 * and is not kept.
 */
export function timeWithControl(
  entries: readonly Calibrated[],
  controlled: Calibrated,
  stopwatch: Stopwatch,
  limits: RoundLimits,
  random: Philox,
  note: (text: string) => void,
): Promise<ControlledTimes> {
  const alone = entries.map((entry) => [entry]);
  return timeGroupsWithControl(alone, controlled, stopwatch, limits, random, note);
}

/**
 * {@link timeWithControl} for entries of which some are to be compared: the members of a group come right after each
 * other (see {@link timeRound}). The times come in the order of the groups.
 */
export async function timeGroupsWithControl(
  groups: readonly (readonly Calibrated[])[],
  controlled: Calibrated,
  stopwatch: Stopwatch,
  limits: RoundLimits,
  random: Philox,
  note: (text: string) => void,
): Promise<ControlledTimes> {
  const roundMs = groups.flat().reduce((sum, entry) => sum + sampleMs(entry), 0);
  const rounds = Math.max(limits.fewest, Math.min(limits.most, Math.floor(limits.ms / roundMs)));
  const total = rounds * roundMs;
  const aim = limits.control ?? FULL_CONTROL;
  note(`timing: ${rounds} rounds, ${seconds(total)} to ${seconds(total + aim.ms)} by the noise…`);

  await timeRound([[...groups.flat(), controlled].map(untimed)], stopwatch, random);
  const timed = groups.map((group) => group.map(untimed));
  const [first, second] = [untimed(controlled), untimed(controlled)];
  // The control is timed as what is compared: beside each other where groups are, else anywhere in the round.
  const pair = groups.some(({ length }) => length > 1) ? [[first, second]] : [[first], [second]];
  for (let round = 0; round < rounds; round++) {
    const pairs = round < PILOT.rounds ? PILOT.pairs : pairsNow(first, second, rounds - round, aim);
    const control = Array.from({ length: pairs }, () => pair).flat();
    await timeRound([...timed, ...control], stopwatch, random);
  }
  const ratio = medianOfRatios(first.samplesMs, second.samplesMs);
  return {
    timed: timed.flat(),
    control: makeControl(`${controlled.candidate.name} against itself`, ratio, aim.width),
  };
}

/** The control's pairs in the next of `roundsLeft` rounds: its share of those still needed, and at least one. */
function pairsNow(first: Timed, second: Timed, roundsLeft: number, aim: ControlLimits): number {
  const affordable = aim.ms / (2 * sampleMs(first));
  const needed = Math.max(aim.fewestPairs, pairsNeeded(first.samplesMs, second.samplesMs, aim.width));
  const wanted = Math.min(needed, affordable);
  return Math.max(1, Math.ceil((wanted - first.samplesMs.length) / roundsLeft));
}

/**
 * How many pairs make the 95 % interval of their median ratio narrow enough: the median of n ratios has the standard
 * error √(π/2)·σ/√n (for the normal distribution; less for one with a peak), with σ from the quartiles.
 */
export function pairsNeeded(
  first: readonly number[],
  second: readonly number[],
  allowed = CONTROL_WIDTH,
): number {
  const logs = first.map((value, i) => Math.log(value / second[i]));
  const sigma = (quantile(logs, 0.75) - quantile(logs, 0.25)) / 1.349;
  const width = 2 * 1.96 * Math.sqrt(Math.PI / 2) * sigma;
  return Math.ceil((width / (MARGIN * allowed)) ** 2);
}

const sampleMs = ({ runsPerSample, msPerRun }: Calibrated) => runsPerSample * msPerRun;

const seconds = (ms: number) => `${Math.ceil(ms / 1000)} s`;
