/** What a figure is to the command. */
import type { Split } from '../../data/dataset/dataset.ts';
import type { Evaluation } from '../../evaluation/evaluate.ts';
import type { DrawnPuzzles } from '../../figures/puzzles.ts';
import type { IntermediateAnswers } from '../../figures/trajectories.ts';
import type { Guessing } from '../../guesses/think.ts';
import type { HrmModel } from '../../model/model.ts';
import type { Task } from '../../tasks/tasks.ts';
import type { Plotting } from './drawing/plotting.ts';

export interface Figure {
  /** Of its files, and on the command line. */
  name: string;
  summary: string;
  /** Whether it counts right answers. */
  needsLabels: boolean;
  make(context: FigureContext): Promise<{ svg: string; csv: string }>;
}

/** What figures are made of. */
export interface FigureContext {
  model: HrmModel;
  /** An untrained model of the same shape. */
  control: () => Promise<HrmModel>;
  task: Task;
  split: Split;
  /** A random sample, of which the states are looked at. */
  puzzles: DrawnPuzzles;
  /** A random sample, of which right answers are counted. */
  sample: { size: number; seed: number };
  /** The most segments for accuracies. */
  maxSteps: number;
  /** Rows at a time where only answers are wanted. */
  batchSize: number;
  guessing: Guessing;
  /** σ of the guesses' noise, and the names of the symmetries. */
  guessesBy: string;
  /** Accuracies after each of `maxSteps` segments; measured once. */
  fixed: () => Promise<Evaluation>;
  /** The intermediate answers of all puzzles; measured once. */
  answers: () => Promise<IntermediateAnswers[]>;
  plotting: Plotting;
  signal: AbortSignal;
  /** A bar with this label. */
  progress: (label: string) => (done: number, total: number) => void;
}

/** A table with a line for its header and each of its rows. */
export function csv(header: readonly string[], rows: readonly (readonly (number | string)[])[]): string {
  return `${[header, ...rows].map((cells) => cells.join(',')).join('\n')}\n`;
}
