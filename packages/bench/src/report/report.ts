import type { Profile } from '../timing/profile-table.ts';
import type { Roofline } from '../timing/roofline.ts';
import type { Ratio } from '../timing/statistics.ts';
import { formatTable, significant, wrap } from '../timing/table.ts';

/**
 * Something that must hold: `ratio` = ours/peer must be at least `goal`. Both sides are of the same run: how fast a machine
 * is by itself is no bar, but is shown ({@link Report.shown}).
 */
export interface Bar {
  name: string;
  ours: number;
  peer: number;
  /** Of `ours` and `peer`. */
  unit: string;
  ratio: number;
  goal: number;
  ok: boolean;
}

/**
 * The same thing timed as if it were two: unless the 95 % interval of its ratio contains 1 and is narrow, no other ratio
 * can be trusted.
 */
export interface Control extends Ratio {
  name: string;
  /** Allowed width of the interval. */
  widest: number;
  ok: boolean;
}

/**
 * One thing measured, for the record. Names are those of no other result, and stay the same from run to run: `bench compare`
 * finds results by them. It compares those with `samplesMs` by these, others by all their numbers.
 */
export interface Result {
  name: string;
}

/** What a benchmark found. */
export interface Report {
  /** What was run, for people. */
  title: string;
  /** How it was run, for the record. */
  settings: Record<string, unknown>;
  results: readonly Result[];
  /** The results for people: the first row is the header, the first column holds names. */
  table: readonly (readonly string[])[];
  /** What the adapter can do at best, where the benchmark measured it. */
  roofline?: Roofline;
  /** Where the time of one of the results goes, where the adapter can tell. */
  profile?: Profile;
  /** What is worth a line and is not judged, since it is the machine's as much as ours: absolute times and rates. */
  shown?: readonly string[];
  /** What could not be measured here, and why. */
  skipped: readonly string[];
  controls: readonly Control[];
  bars: readonly Bar[];
}

/** @param ratio ours over peer, where it was measured pair by pair */
export function makeBar(
  name: string,
  ours: number,
  peer: number,
  unit: string,
  goal: number,
  ratio = ours / peer,
): Bar {
  return { name, ours, peer, unit, ratio, goal, ok: ratio >= goal };
}

/** Allowed width of a control's 95 % interval. */
export const CONTROL_WIDTH = 0.06;

/** @param widest allowed width of the interval; {@link CONTROL_WIDTH} but in the quick form of `bench all` */
export function makeControl(name: string, ratio: Ratio, widest = CONTROL_WIDTH): Control {
  const ok = ratio.low <= 1 && ratio.high >= 1 && ratio.high - ratio.low <= widest;
  return { name, ...ratio, widest, ok };
}

/** Whether all bars and controls hold. */
export function passed({ bars, controls }: Report): boolean {
  return [...bars, ...controls].every(({ ok }) => ok);
}

/** The report as text for a terminal. */
export function formatReport(report: Report): string {
  return [
    ...wrap(report.title),
    '',
    ...formatTable(report.table),
    ...(report.roofline ? ['', ...formatRoofline(report.roofline)] : []),
    ...(report.shown ?? []).flatMap((text) => wrap(`not judged: ${text}`, INDENT)),
    ...report.skipped.flatMap((reason) => wrap(`not measured: ${reason}`, INDENT)),
    '',
    ...report.controls.flatMap(formatControl),
    ...report.bars.flatMap((bar) => wrap(formatBar(bar), INDENT)),
    '',
  ].join('\n');
}

const INDENT = '     ';

export function formatRoofline({
  fmaGflops,
  copyGBs,
  scalarLoads,
  vec4Loads,
  fmaVariant,
}: Roofline): string[] {
  return [
    `roofline: ${significant(fmaGflops)} GFLOP/s (${fmaVariant}), copy ${significant(copyGBs)} GB/s,`,
    `          loads from cache: ${significant(scalarLoads)} G/s of f32, ${significant(vec4Loads)} G/s of vec4<f32>`,
  ];
}

function formatControl({ name, widest, ok, ratio, low, high }: Control): string[] {
  const [middle, from, to] = [ratio, low, high].map((value) => value.toFixed(3));
  const line = `${verdict(ok)} control: ${name}: ${middle} [${from}, ${to}]`;
  if (ok) return wrap(`${line}, holds 1 within ${widest}`, INDENT);
  const advice =
    `The interval must contain 1 and be no wider than ${widest}: the machine was too noisy to trust the other ` +
    'numbers. Stop what else runs on it (the first line shows the load) and run this again. On an idle machine ' +
    'one run in twenty fails by chance.';
  return [...wrap(line, INDENT), ...wrap(INDENT + advice, INDENT)];
}

export function formatBar({ name, ours, peer, unit, ratio, goal, ok }: Bar): string {
  const numbers = `${significant(ours)} against ${significant(peer)} ${unit}`;
  return `${verdict(ok)} ${name}: ${numbers}, ratio ${significant(ratio)}, must be ≥ ${goal}`;
}

const verdict = (ok: boolean) => (ok ? 'ok  ' : 'FAIL');

/** `1.02 [0.99, 1.04]`: a ratio with its 95 % interval. */
export function formatRatio({ ratio, low, high }: Ratio): string {
  return `${significant(ratio)} [${significant(low)}, ${significant(high)}]`;
}
