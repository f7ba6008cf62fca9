/** The puzzles that figures are made of. */

import { UserError } from '@hrm-webgpu/core';
import { IGNORED_LABEL, type Split } from '../data/dataset/dataset.ts';
import { type Batch, testBatches } from '../data/dataset/sampler.ts';
import { countExamples, drawSample } from '../evaluation/evaluate.ts';

/**
 * A random sample of a split's examples as one batch, the same for the same seed; all if there are no more.
 *
 * @throws UserError for a split without examples
 */
export function drawPuzzles(split: Split, size: number, seed: number): Batch {
  const count = Math.min(size, countExamples(split));
  if (count === 0) throw new UserError('the split holds no examples to make figures of');
  const chosen = count === size ? drawSample(countExamples(split), { size, seed }) : undefined;
  return testBatches(split, count, chosen).next().value as Batch;
}

/** Rows `from` … `to` − 1 of a batch, or fewer if it ends before. */
export function rowsOf(batch: Batch, from: number, to: number): Batch {
  const rows = batch.puzzleIdentifiers.length;
  const columns = batch.inputs.length / rows;
  return {
    inputs: batch.inputs.slice(from * columns, to * columns),
    labels: batch.labels.slice(from * columns, to * columns),
    puzzleIdentifiers: batch.puzzleIdentifiers.slice(from, to),
    rows: Math.min(to, rows) - from,
  };
}

/** Whether any label counts. */
export function hasLabels({ labels }: Batch): boolean {
  return labels.some((label) => label !== IGNORED_LABEL);
}

/** Shares of a row's labels that a prediction has right. */
export function cellAccuracy(labels: Int32Array, prediction: Int32Array): number {
  let right = 0;
  let count = 0;
  labels.forEach((label, i) => {
    if (label === IGNORED_LABEL) return;
    count++;
    if (label === prediction[i]) right++;
  });
  return right / Math.max(1, count);
}
