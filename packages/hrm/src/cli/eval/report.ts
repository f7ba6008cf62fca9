/** How `hrm eval` shows its findings to people. */

import type { Evaluation, SegmentScore } from '../../evaluation/evaluate.ts';
import type { GuessReport } from '../../evaluation/guess-tally.ts';
import type { Interval } from '../../evaluation/intervals.ts';
import { RULES } from '../../guesses/select.ts';
import { percent, print } from '../terminal.ts';
import type { Share, TaskReport } from './task.ts';

/** Columns of names, and of values, so that the intervals stand below each other. */
const NAME_WIDTH = 18;
const VALUE_WIDTH = 22;

export function printEvaluation(result: Evaluation): void {
  const { exact, count, exact_accuracy, accuracy, q_halt_accuracy, steps, intervals } = result;
  if (count === 0) {
    print('no accuracy: no example has a label that counts, so the right answers are not known');
    return;
  }
  line(
    'exact accuracy',
    `${percent(exact_accuracy)} (${exact}/${count})`,
    percents(intervals.exact_accuracy),
  );
  line('cell accuracy', percent(accuracy), percents(intervals.accuracy));
  line('q_halt accuracy', percent(q_halt_accuracy), percents(intervals.q_halt_accuracy));
  line('segments', steps.toFixed(2), intervals.steps?.map((end) => end.toFixed(2)).join(' to '));
  print(`lm_loss ${result.lm_loss.toFixed(4)}, q_halt_loss ${result.q_halt_loss.toFixed(4)}`);
  if (result.per_segment) printSegments(result.per_segment, count);
  if (result.guesses) printGuesses(result.guesses, count, steps);
}

function printSegments(segments: readonly SegmentScore[], count: number): void {
  print();
  print('after segment     exact                 95 %               cells');
  for (const { segment, exact, exact_accuracy, exact_accuracy_interval, accuracy } of segments) {
    const value = `${percent(exact_accuracy)} (${exact}/${count})`;
    const interval = percents(exact_accuracy_interval);
    print(
      String(segment).padEnd(NAME_WIDTH) +
        value.padEnd(VALUE_WIDTH) +
        interval.padEnd(19) +
        percent(accuracy),
    );
  }
}

function printGuesses(report: GuessReport, count: number, steps: number): void {
  const { rule, single, selected, oracle, intervals, segments, begun, decided, mean, by_count } = report;
  const value = (share: number) => `${percent(share)} (${Math.round(share * count)}/${count})`;
  print();
  print(`up to ${report.count} guesses, chosen without labels`);
  line('single', value(single), percents(intervals.single));
  if (mean !== undefined) line('mean of guesses', percent(mean));
  line(`selected (${rule})`, value(selected), percents(intervals.selected));
  line('oracle', value(oracle), `${percents(intervals.oracle)}  uses the labels`);
  line(
    'segments',
    `${segments.toFixed(2)} a puzzle`,
    undefined,
    `${(segments / steps).toFixed(2)} × one guess's`,
  );
  line('guesses', `${begun.toFixed(2)} a puzzle`);
  const by = Object.entries(decided).map(([name, puzzles]) => `${name} ${puzzles}`);
  line('decided by', by.join(', '));
  if (!by_count) return;
  print();
  const width = (name: string) => Math.max(name.length, 7);
  print(`guesses   selected  oracle   ${RULES.map((name) => name.padStart(width(name))).join('  ')}`);
  for (const { count, selected, oracle, selections } of by_count) {
    const rules = RULES.map((name) => percent(selections[name]).padStart(width(name)));
    print(
      `${String(count).padEnd(10)}${percent(selected).padEnd(10)}${percent(oracle).padEnd(9)}${rules.join('  ')}`.trimEnd(),
    );
  }
}

export function printTask(title: string, { shares, of, notes }: TaskReport): void {
  print();
  print(`${title}, share of ${of}`);
  for (const note of notes) print(note);
  for (const [name, { count, of, share, interval }] of Object.entries<Share>(shares)) {
    line(name.replaceAll('_', ' '), `${percent(share)} (${count}/${of})`, percents(interval));
  }
}

function line(name: string, value: string, interval?: string, note = ''): void {
  const end = interval === undefined ? note : `95 %: ${interval}`;
  print((name.padEnd(NAME_WIDTH) + value.padEnd(VALUE_WIDTH) + end).trimEnd());
}

function percents([low, high]: Interval): string {
  return `${(100 * low).toFixed(1)} to ${percent(high)}`;
}
