/** Guesses in rounds, until the answer is settled. */

import { type Guess, type Rule, type Selection, select } from './select.ts';
import type { Course, Progress } from './think.ts';

/** How a puzzle's guesses are chosen from. */
export interface Choice {
  rule: Rule | 'auto';
  /** Makes all guesses, and lets each think to its end. */
  all?: boolean;
  /** Whether there is a checker. */
  checked: boolean;
}

/**
 * Guesses are made in rounds of 1, 1, 2, 4, … where one can settle the answer: a proven one under `rules`, the first that halts
 * under `halt-first`. It counts as settled when no other guess of the round can come before it: each has ended, or has thought
 * as long. So the answer does not depend on which of a round happened to run first.
 */
export class Rounds implements Course {
  private readonly ended: Guess[] = [];
  private readonly running = new Map<number, Progress>();
  private made = 0;
  private readonly settling: 'rules' | 'halt-first' | undefined;

  constructor(
    /** How many there may be. */
    private readonly count: number,
    private readonly choice: Choice,
  ) {
    const { rule, all, checked } = choice;
    const first = rule === 'auto' ? (checked ? 'rules' : 'halt-first') : rule;
    this.settling = !all && (first === 'rules' || first === 'halt-first') ? first : undefined;
  }

  nextRound(): number[] {
    if (this.running.size > 0 || this.done) return [];
    const left = this.count - this.made;
    const size = this.settling ? Math.max(1, this.made) : left;
    const round = Array.from({ length: Math.min(size, left) }, (_, i) => this.made + i);
    for (const number of round) this.running.set(number, { number, segments: 0 });
    this.made += round.length;
    return round;
  }

  progress(progress: Progress): void {
    this.running.set(progress.number, progress);
  }

  end(guess: Guess): void {
    this.running.delete(guess.number);
    this.ended.push(guess);
    this.ended.sort((a, b) => a.number - b.number);
  }

  drop(): number[] {
    const winner = this.winner();
    if (!winner) return [];
    const dropped = [...this.running.keys()].filter((number) => number !== winner.number);
    for (const number of dropped) this.running.delete(number);
    return dropped;
  }

  get done(): boolean {
    if (this.running.size > 0) return false;
    return this.made === this.count || this.winner() !== undefined;
  }

  get guesses(): readonly Guess[] {
    return this.ended;
  }

  get selection(): Selection {
    return select(this.ended, this.choice.rule);
  }

  /** What settles the answer, if anything does: the first of the decided, when no other can still come before it. */
  private winner(): { number: number } | undefined {
    const { settling } = this;
    if (!settling) return undefined;
    const timeOf = (guess: Progress & { proven?: boolean }) =>
      settling === 'halt-first' ? guess.firstHalt : guess.proven ? guess.segments : undefined;
    const running = [...this.running.values()];
    const decided = [...this.ended, ...(settling === 'halt-first' ? running : [])]
      .map((guess) => ({ number: guess.number, time: timeOf(guess) ?? Number.POSITIVE_INFINITY }))
      .filter(({ time }) => time < Number.POSITIVE_INFINITY)
      .sort((a, b) => a.time - b.time || a.number - b.number);
    const [first] = decided;
    if (!first) return undefined;
    const open = running.some(
      ({ number, segments, firstHalt }) =>
        number !== first.number && segments < first.time && firstHalt === undefined,
    );
    return open ? undefined : first;
  }
}
