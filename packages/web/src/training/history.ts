/**
 * What a run has shown so far. It is saved with the run, and nothing in it depends on time: two runs of the same settings have the same
 * history, however often they were interrupted.
 */

/** Points that a curve of the loss has at most. */
const POINTS = 150;

export interface Point {
  step: number;
  /** Share of held-out puzzles that were answered without a mistake, of `count`. */
  exact: number;
  count: number;
  /** Share of their cells that were right. */
  cells: number;
  /** Share of the puzzles in training that were right since the last evaluation; null before the first step. */
  training: number | null;
}

/** A held-out puzzle and what the present weights answer. */
export interface Sample {
  puzzle: number[][];
  answer: number[][];
  solution: number[][];
}

export interface History {
  /** Steps that a point of the loss is the mean of. */
  each: number;
  /** The last step whose loss is known; a run under way is ahead of it. */
  reported: number;
  /** Sums of the losses of so many steps. */
  losses: number[];
  points: Point[];
  samples: Sample[];
  /** Of puzzles in training since the last evaluation. */
  since: { exact: number; count: number };
}

export interface Report {
  /** From 1. */
  step: number;
  loss: number;
  exact: number;
  count: number;
}

export function emptyHistory(totalSteps: number): History {
  return {
    each: Math.ceil(totalSteps / POINTS),
    reported: 0,
    losses: [],
    points: [],
    samples: [],
    since: { exact: 0, count: 0 },
  };
}

/** Adds a step; steps must come in order. */
export function addReport(history: History, { step, loss, exact, count }: Report): void {
  const { each, losses, since } = history;
  const at = Math.floor((step - 1) / each);
  losses[at] = (losses[at] ?? 0) + loss;
  history.reported = step;
  since.exact += exact;
  since.count += count;
}

export function addPoint(history: History, point: Omit<Point, 'training'>, samples: Sample[]): void {
  const { exact, count } = history.since;
  history.points.push({ ...point, training: count > 0 ? exact / count : null });
  history.samples = samples;
  history.since = { exact: 0, count: 0 };
}

/** Means of the loss, each at the last step that it is the mean of. */
export function lossCurve({ each, losses, reported }: History): { x: number[]; y: number[] } {
  const x = losses.map((_, i) => Math.min((i + 1) * each, reported));
  return { x, y: losses.map((sum, i) => sum / (x[i] - i * each)) };
}
