/** `bench compare`: what changed between two runs of a benchmark. */
import { Philox, UserError } from '@hrm-webgpu/core';
import type { BenchDocument } from './document.node.ts';
import { formatRatio, formatTable, significant } from './report.ts';
import { median, type Ratio, ratioOfSeparateMedians } from './statistics.ts';

const SEED = 1;

/** What differs between any two runs, and says nothing about whether they compare. */
const INCIDENTAL = new Set(['date', 'load', 'commit']);

/** What changed beyond noise. */
export type Verdict = 'faster' | 'slower' | 'no change';

/** One result in both runs. */
export interface Change {
  name: string;
  beforeMs: number;
  afterMs: number;
  /** How many times as fast the second run was. */
  speedup: Ratio;
  verdict: Verdict;
}

/** Two runs of one benchmark, held against each other. */
export interface Comparison {
  benchmark: string;
  before: string;
  after: string;
  changes: readonly Change[];
  /** By how much a ratio may be off 1 and still be noise: as far as the runs' own controls were. */
  noise: number;
  /** What makes the comparison doubtful. */
  warnings: readonly string[];
}

export const COMPARE_DESCRIPTION = [
  'Compares documents that --json wrote, of the same benchmark: each with the first. A result is faster or slower when',
  'the 95 % bootstrap interval of its ratio lies outside of what the controls of the two runs allow for noise.',
  'What differs in adapter, driver, versions or settings is named.',
].join('\n');

/** @throws UserError when the two come from different benchmarks */
export function compareDocuments(before: BenchDocument, after: BenchDocument): Comparison {
  if (before.benchmark !== after.benchmark) {
    throw new UserError(
      `${before.file} is of benchmark '${before.benchmark}', ${after.file} of '${after.benchmark}': ` +
        'only runs of the same benchmark can be compared.',
    );
  }
  const noise = Math.max(0, ...[before, after].map(noiseOf));
  const random = new Philox(SEED);
  const changes: Change[] = [];
  for (const [name, samples] of before.samplesMs) {
    const others = after.samplesMs.get(name) ?? [];
    if (samples.length === 0 || others.length === 0) continue;
    const speedup = ratioOfSeparateMedians(samples, others, random);
    const verdict = verdictOf(speedup, noise);
    changes.push({ name, beforeMs: median(samples), afterMs: median(others), speedup, verdict });
  }
  const { benchmark } = before;
  return {
    benchmark,
    before: before.file,
    after: after.file,
    changes,
    noise,
    warnings: warningsFor(before, after),
  };
}

/** How far a run's controls were off 1, at the far ends of their intervals. */
function noiseOf({ controls }: BenchDocument): number {
  return Math.max(0, ...controls.map(({ low, high }) => Math.max(1 - low, high - 1)));
}

function verdictOf({ low, high }: Ratio, noise: number): Verdict {
  if (low > 1 + noise) return 'faster';
  return high < 1 - noise ? 'slower' : 'no change';
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
  const names = new Set([...before.samplesMs.keys(), ...after.samplesMs.keys()]);
  for (const name of names) {
    const lacking = [before, after].filter(({ samplesMs }) => !samplesMs.get(name)?.length);
    if (lacking.length > 0)
      warnings.push(`not compared: ${name}: no samples in ${lacking.map(({ file }) => file).join(' and ')}`);
  }
  return warnings;
}

/** The comparison as text for a terminal. */
export function formatComparison({ benchmark, before, after, changes, noise, warnings }: Comparison): string {
  const header = ['', 'before ms', 'after ms', 'times as fast [95 %]', 'beyond noise'];
  const rows = changes.map(({ name, beforeMs, afterMs, speedup, verdict }) => [
    name,
    significant(beforeMs),
    significant(afterMs),
    formatRatio(speedup),
    verdict,
  ]);
  return [
    `${benchmark}: ${before} → ${after}`,
    '',
    ...(changes.length > 0 ? formatTable([header, ...rows]) : ['nothing to compare']),
    '',
    `noise, by the controls of both runs: ± ${(100 * noise).toFixed(1)} %`,
    ...warnings.map((warning) => `warning: ${warning}`),
    '',
  ].join('\n');
}
