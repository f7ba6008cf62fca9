/** What halting by q costs and gains against a fixed number of segments. */

import type { Split } from '../data/dataset/dataset.ts';
import { type EvaluateOptions, evaluate } from '../evaluation/evaluate.ts';
import { type Interval, wilsonInterval } from '../evaluation/intervals.ts';
import type { HrmModel } from '../model/model.ts';

/** With ACT and at most so many segments. */
export interface Halting {
  /** M */
  limit: number;
  /** The mean of all examples. */
  segments: number;
  exact_accuracy: number;
  exact_accuracy_interval: Interval;
}

/**
 * Lets every example halt by itself (q_halt > q_continue) within `maxSteps`, and tells of each smaller limit as well: what a row
 * does until it halts does not depend on the limit.
 */
export async function measureHalting(
  model: HrmModel,
  split: Split,
  options: EvaluateOptions & { maxSteps: number },
): Promise<Halting[]> {
  const ended: { steps: number; exact: boolean[] }[] = [];
  await evaluate(model, split, {
    ...options,
    haltEarly: true,
    perSegment: true,
    onAnswer({ labels, correct, steps }) {
      if (labels > 0) ended.push({ steps, exact: correct.map((right) => right === labels) });
    },
  });
  return Array.from({ length: options.maxSteps }, (_, i) => haltingAt(i + 1, ended));
}

/**
 * @param ended of every example, the segments until it halted and whether its answer was right after each
 */
export function haltingAt(limit: number, ended: readonly { steps: number; exact: boolean[] }[]): Halting {
  const mean = (value: (example: (typeof ended)[number]) => number) =>
    ended.reduce((sum, example) => sum + value(example), 0) / Math.max(1, ended.length);
  const exact = mean(({ steps, exact }) => (exact[Math.min(steps, limit) - 1] ? 1 : 0));
  return {
    limit,
    segments: mean(({ steps }) => Math.min(steps, limit)),
    exact_accuracy: exact,
    exact_accuracy_interval: wilsonInterval(exact, ended.length),
  };
}
