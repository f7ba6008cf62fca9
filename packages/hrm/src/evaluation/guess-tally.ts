/** What guesses are worth: one, the chosen one, and the best by the labels, kept apart. */

import { RULES, type Rule, select } from '../guesses/select.ts';
import { type Answer, rightLabels } from './answers.ts';
import { type Interval, wilsonInterval } from './intervals.ts';

/** Shares of the examples with labels whose answer has every label right, and what they cost. */
export interface GuessReport {
  /** Guesses of an example at most. */
  count: number;
  rule: Rule | 'auto';
  /** Guess 0, the example as given, which every example has. */
  single: number;
  /** The guess that was chosen without labels. */
  selected: number;
  /** Any guess that came to an end: this uses the labels. */
  oracle: number;
  /** At 95 %. */
  intervals: Record<'single' | 'selected' | 'oracle', Interval>;
  /** Segments in the mean of an example, of all its guesses; those of one guess are in `steps`. */
  segments: number;
  /** Guesses that were begun, in the mean of an example. */
  begun: number;
  /** How many examples each rule decided; `only` where there was one guess. */
  decided: Partial<Record<Rule | 'only', number>>;
  /** The mean over guesses; where all were made. */
  mean?: number;
  /** With the first 1, 2, 4, … guesses; where all were made. */
  by_count?: GuessesByCount[];
}

export interface GuessesByCount {
  count: number;
  /** By the rule that was asked for. */
  selected: number;
  oracle: number;
  /** By every rule; those that cannot decide are followed by the next. */
  selections: Record<Rule, number>;
}

interface Sums {
  selected: number;
  oracle: number;
  selections: Record<Rule, number>;
}

const noSums = (): Sums => ({
  selected: 0,
  oracle: 0,
  selections: Object.fromEntries(RULES.map((rule) => [rule, 0])) as Record<Rule, number>,
});

/** Adds up what the guesses of examples came to. */
export class GuessTally {
  private examples = 0;
  private single = 0;
  private segments = 0;
  private begun = 0;
  private rightGuesses = 0;
  private readonly total = noSums();
  private readonly decided: GuessReport['decided'] = {};
  private readonly byCount: (Sums & { count: number })[];

  /** @param all whether every guess is made of every example */
  constructor(
    private readonly count: number,
    private readonly rule: Rule | 'auto',
    private readonly all: boolean,
  ) {
    const counts = all ? countsUpTo(count) : [];
    this.byCount = counts.map((size) => ({ count: size, ...noSums() }));
  }

  add({ label, labels, guesses, selection, segments, begun }: Answer): void {
    if (labels === 0) return;
    const right = new Set(guesses.filter(({ tokens }) => rightLabels(label, tokens) === labels));
    this.examples++;
    this.segments += segments;
    this.begun += begun;
    this.rightGuesses += right.size;
    if (right.has(guesses[0])) this.single++;
    if (right.has(selection.guess)) this.total.selected++;
    if (right.size > 0) this.total.oracle++;
    this.decided[selection.rule] = (this.decided[selection.rule] ?? 0) + 1;
    for (const sums of this.byCount) {
      const first = guesses.slice(0, sums.count);
      const chosen = (rule: Rule | 'auto') => (right.has(select(first, rule).guess) ? 1 : 0);
      sums.selected += chosen(this.rule);
      sums.oracle += first.some((guess) => right.has(guess)) ? 1 : 0;
      for (const rule of RULES) sums.selections[rule] += chosen(rule);
    }
  }

  report(): GuessReport {
    const { examples, total } = this;
    const share = (sum: number) => sum / Math.max(1, examples);
    const shares = {
      single: share(this.single),
      selected: share(total.selected),
      oracle: share(total.oracle),
    };
    const interval = (name: keyof typeof shares) => wilsonInterval(shares[name], examples);
    const byCount = this.byCount.map(({ count, selected, oracle, selections }) => ({
      count,
      selected: share(selected),
      oracle: share(oracle),
      selections: Object.fromEntries(RULES.map((rule) => [rule, share(selections[rule])])) as Record<
        Rule,
        number
      >,
    }));
    return {
      count: this.count,
      rule: this.rule,
      ...shares,
      intervals: { single: interval('single'), selected: interval('selected'), oracle: interval('oracle') },
      segments: share(this.segments),
      begun: share(this.begun),
      decided: this.decided,
      ...(this.all ? { mean: share(this.rightGuesses) / this.count, by_count: byCount } : {}),
    };
  }
}

/** 1, 2, 4, … and the number itself. */
function countsUpTo(count: number): number[] {
  const counts: number[] = [];
  for (let size = 1; size < count; size *= 2) counts.push(size);
  return [...counts, count];
}
