/** A few examples as they were answered over a run: `samples.jsonl`. */

import { TASKS, type Task } from '../data/dataset/task-names.ts';
import { isCount } from '../formats/record-rules.ts';
import { recordsIn } from './run-lines.ts';

/** The first line: which examples. */
export interface SampledExamples {
  task: Task;
  /** [examples][seq_len] tokens; of labels −100 where none counts. */
  inputs: number[][];
  labels: number[][];
}

/** What each of them was answered at a step. */
export interface SampledAnswers {
  step: number;
  answers: number[][];
}

export interface Samples extends SampledExamples {
  over: SampledAnswers[];
}

const isTokens = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length > 0 && value.every(Number.isSafeInteger);
const areTokens = (value: unknown): value is number[][] => Array.isArray(value) && value.every(isTokens);

/** Undefined for what holds no samples; lines that are no whole ones are passed over. */
export function parseSamples(text: string): Samples | undefined {
  const [first, ...rest] = recordsIn(text);
  const { task, inputs, labels } = first ?? {};
  if (!TASKS.includes(task as Task) || !areTokens(inputs) || !areTokens(labels)) return undefined;
  const [length] = inputs.map((row) => row.length);
  const fits = (rows: unknown): rows is number[][] =>
    areTokens(rows) && rows.length === inputs.length && rows.every((row) => row.length === length);
  if (!fits(labels) || !fits(inputs)) return undefined;
  const over = rest.flatMap(({ step, answers }) =>
    isCount(step) && fits(answers) ? [{ step: step as number, answers }] : [],
  );
  return { task: task as Task, inputs, labels, over };
}
