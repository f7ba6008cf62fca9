/** `bench compare`: what changed between two runs of a benchmark. */
import { Philox, UserError } from '@hrm-webgpu/core';
import { median, type Ratio, ratioOfSeparateMedians } from '../timing/statistics.ts';
import { formatTable, significant, wrap } from '../timing/table.ts';
import type { BenchDocument, DocumentResult } from './document.node.ts';
import { formatRatio } from './report.ts';

const SEED = 1;

/** What differs between any two runs, and says nothing about whether they compare. */
const INCIDENTAL = new Set(['date', 'load', 'commit', 'note']);

/** A change of a time that is worth having: "no change" is said only where the runs exclude one as large. */
export const WORTH = 0.05;

/** Resampling one or two tells nothing of how far others would be. */
const LEAST_SAMPLES = 3;

/** What changed beyond noise; `cannot tell` where nothing did, but something as large as {@link WORTH} may have. */
export type Verdict = 'faster' | 'slower' | 'no change' | 'cannot tell';

/** One result in both runs. */
export interface Change {
  name: string;
  beforeMs: number;
  afterMs: number;
  /** How many times as fast the second run was. */
  speedup: Ratio;
  verdict: Verdict;
}

/** A number of a result without samples that is not the same in both runs; undefined where a run has no such number. */
export interface NumberChange {
  name: string;
  /** Which of the result's numbers. */
  number: string;
  before?: number;
  after?: number;
}

/** Two runs of one benchmark, held against each other. */
export interface Comparison {
  benchmark: string;
  before: string;
  after: string;
  changes: readonly Change[];
  numbers: readonly NumberChange[];
  /** How many numbers are the same. */
  sameNumbers: number;
  /** By how much a ratio may be off 1 and still be noise: as far as the runs' own controls were, if they had any. */
  noise?: number;
  /** What makes the comparison doubtful. */
  warnings: readonly string[];
}

export const COMPARE_DESCRIPTION = [
  'Compares documents that --json wrote, of the same benchmark: each with the first. A result is faster or slower when',
  'the 95 % bootstrap interval of its ratio lies outside of what the controls of the two runs allow for noise. It has not',
  `changed when interval and noise together exclude a change of ${100 * WORTH} %; otherwise, and with fewer than ${LEAST_SAMPLES} samples,`,
  'the runs cannot tell: repeat them on a quieter machine, or in the full form. Of two files that `bench all` wrote, every benchmark is compared.',
  'Results that are not sampled (bytes, registers, microseconds of the host) are compared number by number.',
  'What differs in adapter, driver, versions or settings is named.',
].join('\n');

/**
 * Every document of `before` with the one of the same benchmark in `after`.
 *
 * @throws UserError when there is none of the same
 */
export function compareAll(before: readonly BenchDocument[], after: readonly BenchDocument[]): Comparison[] {
  const [one, other] = [before, after].map(
    (documents) => new Map(documents.map((each) => [each.benchmark, each])),
  );
  const common = before.filter(({ benchmark }) => other.has(benchmark));
  if (common.length === 0) return [compareDocuments(before[0], after[0])];
  const alone = [...before, ...after].filter(
    ({ benchmark }) => !(one.has(benchmark) && other.has(benchmark)),
  );
  return common.map((document, i) => {
    const comparison = compareDocuments(document, other.get(document.benchmark) as BenchDocument);
    const missing =
      i < common.length - 1
        ? []
        : alone.map((each) => `not compared: ${each.benchmark}: in ${each.file} alone`);
    return { ...comparison, warnings: [...comparison.warnings, ...missing] };
  });
}

/** @throws UserError when the two come from different benchmarks */
export function compareDocuments(before: BenchDocument, after: BenchDocument): Comparison {
  if (before.benchmark !== after.benchmark) {
    throw new UserError(
      `${before.file} is of benchmark '${before.benchmark}', ${after.file} of '${after.benchmark}': ` +
        'only runs of the same benchmark can be compared.',
    );
  }
  const noise = noiseOf([before, after]);
  const random = new Philox(SEED);
  const changes: Change[] = [];
  const numbers: NumberChange[] = [];
  let sameNumbers = 0;
  for (const [name, one] of before.results) {
    const other = after.results.get(name);
    if (!other) continue;
    if (one.samplesMs.length > 0 && other.samplesMs.length > 0) {
      const speedup = ratioOfSeparateMedians(one.samplesMs, other.samplesMs, random);
      const [beforeMs, afterMs] = [median(one.samplesMs), median(other.samplesMs)];
      const enough = Math.min(one.samplesMs.length, other.samplesMs.length) >= LEAST_SAMPLES;
      const verdict = enough ? verdictOf(speedup, noise ?? 0) : 'cannot tell';
      changes.push({ name, beforeMs, afterMs, speedup, verdict });
    } else if (one.samplesMs.length === other.samplesMs.length) {
      const { different, same } = compareNumbers(name, one.numbers, other.numbers);
      numbers.push(...different);
      sameNumbers += same;
    }
  }
  return {
    benchmark: before.benchmark,
    before: before.file,
    after: after.file,
    ...{ changes, numbers, sameNumbers, noise },
    warnings: warningsFor(before, after),
  };
}

function compareNumbers(name: string, before: DocumentResult['numbers'], after: typeof before) {
  const keys = [...new Set([...before.keys(), ...after.keys()])];
  const different = keys
    .filter((key) => before.get(key) !== after.get(key))
    .map((key): NumberChange => ({ name, number: key, before: before.get(key), after: after.get(key) }));
  return { different, same: keys.length - different.length };
}

/** How far the runs' controls were off 1, at the far ends of their intervals. */
function noiseOf(documents: readonly BenchDocument[]): number | undefined {
  const controls = documents.flatMap(({ controls }) => controls);
  if (controls.length === 0) return undefined;
  return Math.max(0, ...controls.map(({ low, high }) => Math.max(1 - low, high - 1)));
}

/** What a ratio with its interval says, where it may be off 1 by so much for noise. */
export function verdictOf({ low, high }: Ratio, noise: number): Verdict {
  if (low > 1 + noise) return 'faster';
  if (high < 1 - noise) return 'slower';
  return low - noise >= 1 - WORTH && high + noise <= 1 + WORTH ? 'no change' : 'cannot tell';
}

function warningsFor(before: BenchDocument, after: BenchDocument): string[] {
  const warnings = [before, after].flatMap(({ file, controls }) =>
    controls
      .filter(({ ok }) => !ok)
      .map(({ name }) => `${file}: the control '${name}' failed: too noisy a run`),
  );
  for (const kind of ['environment', 'settings'] as const) {
    for (const name of new Set([...before[kind].keys(), ...after[kind].keys()])) {
      const [one, other] = [before, after].map((document) => document[kind].get(name) ?? 'nothing');
      if (one !== other && !(kind === 'environment' && INCIDENTAL.has(name)))
        warnings.push(`${kind} ${name} differs: ${one} against ${other}`);
    }
  }
  for (const name of new Set([...before.results.keys(), ...after.results.keys()])) {
    const found = [before, after].map(({ file, results }) => ({ file, result: results.get(name) }));
    const absent = found.find(({ result }) => !result);
    const unsampled = found.filter(({ result }) => result?.samplesMs.length === 0);
    if (absent) warnings.push(`not compared: ${name}: not in ${absent.file}`);
    else if (unsampled.length === 1)
      warnings.push(`not compared: ${name}: no samples in ${unsampled[0].file}`);
  }
  return warnings;
}

/** The comparison as text for a terminal. */
export function formatComparison(comparison: Comparison): string {
  const { benchmark, before, after, changes, numbers, sameNumbers, noise, warnings } = comparison;
  return [
    ...wrap(`${benchmark}: ${before} → ${after}`, '  '),
    '',
    ...(changes.length > 0 ? [...formatTable(changeTable(changes)), ''] : []),
    ...(numbers.length > 0 ? [...formatTable(numberTable(numbers)), ''] : []),
    ...(sameNumbers > 0 ? [`numbers that are the same in both: ${sameNumbers}`] : []),
    ...(changes.length + numbers.length + sameNumbers === 0 ? ['nothing to compare'] : []),
    ...wrap(
      noise === undefined
        ? 'no controls: beyond noise is what the samples themselves tell; single numbers also vary by chance'
        : `noise, by the controls of both runs: ± ${(100 * noise).toFixed(1)} %`,
    ),
    ...(changes.some(({ verdict }) => verdict === 'cannot tell')
      ? wrap(
          `cannot tell: a change of ${100 * WORTH} % or more is not excluded, or there are fewer than ${LEAST_SAMPLES} samples; ` +
            'measure again, longer or on a quieter machine',
        )
      : []),
    ...warnings.flatMap((warning) => wrap(`warning: ${warning}`, '  ')),
    '',
  ].join('\n');
}

function changeTable(changes: readonly Change[]): string[][] {
  const header = ['', 'before ms', 'after ms', 'times as fast [95 %]', 'verdict'];
  const rows = changes.map(({ name, beforeMs, afterMs, speedup, verdict }) => [
    name,
    significant(beforeMs),
    significant(afterMs),
    formatRatio(speedup),
    verdict,
  ]);
  return [header, ...rows];
}

function numberTable(numbers: readonly NumberChange[]): string[][] {
  const cell = (value: number | undefined) => {
    if (value === undefined) return '–';
    return Number.isInteger(value) ? String(value) : significant(value);
  };
  const rows = numbers.map(({ name, number, before, after }) => [
    `${name}: ${number}`,
    cell(before),
    cell(after),
    before && after ? significant(after / before) : '–',
  ]);
  return [['', 'before', 'after', 'after / before'], ...rows];
}
