/** What a run's log says over its steps, as lines to be drawn. */

import type { RunFolder } from '../../runs/run-folder.node.ts';
import type { Line as LogLine } from '../../runs/run-lines.ts';

export interface Point {
  x: number;
  y: number;
}

/** A measure of training or of evaluations. */
export interface Measure {
  title: string;
  /** Shares are drawn as percentages. */
  isShare?: boolean;
  /** Of training: a mean over the rows that halted in a step. */
  isOfHalted?: boolean;
  /** Over steps of training, each the mean of a stretch of them; and at evaluations. */
  train?: (figures: LogLine['figures']) => number | undefined;
  evaluation?: (figures: LogLine['figures']) => number | undefined;
}

const of = (name: string) => (figures: LogLine['figures']) => figures[name];

export const MEASURES: readonly Measure[] = [
  {
    title: 'exact accuracy',
    isShare: true,
    isOfHalted: true,
    train: of('exact_accuracy'),
    evaluation: of('exact_accuracy'),
  },
  {
    title: 'cells right',
    isShare: true,
    isOfHalted: true,
    train: of('accuracy'),
    evaluation: of('accuracy'),
  },
  { title: 'loss of the answers (lm_loss)', train: of('lm_loss'), evaluation: of('lm_loss') },
  { title: 'loss of q_halt', train: of('q_halt_loss'), evaluation: of('q_halt_loss') },
  { title: 'loss of q_continue', train: of('q_continue_loss') },
  {
    title: 'q_halt right',
    isShare: true,
    isOfHalted: true,
    train: of('q_halt_accuracy'),
    evaluation: of('q_halt_accuracy'),
  },
  { title: 'segments of a thought', isOfHalted: true, train: of('steps'), evaluation: of('steps') },
  { title: 'learning rate', train: of('lr') },
  { title: 'norm of the gradient (without puzzle rows)', train: of('grad_norm') },
  { title: 'norm of the gradient of H_level', train: of('grad_norm_H_level') },
  { title: 'norm of the gradient of L_level', train: of('grad_norm_L_level') },
];

/** Points that a line of training has at most. */
const MOST_POINTS = 160;

/**
 * The means of stretches of steps; of what is about the rows that halted, weighted by their number: steps in which none did say
 * nothing of them.
 */
export function trainPoints(
  { steps }: Pick<RunFolder, 'steps'>,
  pick: NonNullable<Measure['train']>,
  isOfHalted = false,
): Point[] {
  const length = Math.max(1, Math.ceil(steps.length / MOST_POINTS));
  const points: Point[] = [];
  for (let at = 0; at < steps.length; at += length) {
    let [sum, weight] = [0, 0];
    for (const { figures } of steps.slice(at, at + length)) {
      const value = pick(figures);
      const rows = isOfHalted ? (figures.halted ?? 1) : 1;
      if (value === undefined || rows === 0) continue;
      sum += rows * value;
      weight += rows;
    }
    const last = steps[Math.min(at + length, steps.length) - 1];
    if (weight > 0) points.push({ x: last.step, y: sum / weight });
  }
  return points;
}

export function evaluationPoints(
  { evaluations }: Pick<RunFolder, 'evaluations'>,
  pick: NonNullable<Measure['evaluation']>,
): Point[] {
  return evaluations.flatMap(({ step, figures }) => {
    const y = pick(figures);
    return y === undefined ? [] : [{ x: step, y }];
  });
}

/** Steps a second over stretches of the log, by the times of its lines; evaluations and pauses are in between, and count. */
export function speedPoints({ steps }: Pick<RunFolder, 'steps'>): Point[] {
  const timed = steps.filter(({ time }) => time !== undefined) as (LogLine & { time: number })[];
  const length = Math.max(16, Math.ceil(timed.length / MOST_POINTS));
  const points: Point[] = [];
  for (let at = length; at < timed.length; at += length) {
    const [from, to] = [timed[at - length], timed[at]];
    if (to.time > from.time)
      points.push({ x: to.step, y: (1000 * (to.step - from.step)) / (to.time - from.time) });
  }
  return points;
}
