/** The puzzles that figures are made of. */

import { UserError } from '@hrm-webgpu/core';
import { IGNORED_LABEL, type Split } from '../data/dataset/dataset.ts';
import { type Batch, testBatches } from '../data/dataset/sampler.ts';
import { countExamples, drawSample } from '../evaluation/evaluate.ts';
import type { HrmModel } from '../model/model.ts';
import { evaluationRows } from '../training/memory.ts';

/** Examples of a split. */
export interface DrawnPuzzles {
  batch: Batch;
  /** [rows], which examples of the split they are, from 0. */
  numbers: number[];
}

/**
 * A random sample of a split's examples in their order, the same for the same seed; all if there are no more.
 *
 * @throws UserError for a split without examples
 */
export function drawPuzzles(split: Split, size: number, seed: number): DrawnPuzzles {
  const examples = countExamples(split);
  if (examples === 0) throw new UserError('the split holds no examples to make figures of');
  const all = Array.from({ length: examples }, (_, number) => number);
  const chosen = size < examples ? drawSample(examples, { size, seed }) : new Set(all);
  const [batch] = testBatches(split, chosen.size, chosen);
  return { batch, numbers: all.filter((number) => chosen.has(number)) };
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

/** Puzzles that think side by side where the adapter's limits allow it. */
const SIDE_BY_SIDE = 10;

/** A batch in parts of ten rows, or of a divisor of ten where the adapter's limits want fewer. */
export function* parts(
  { config, device }: HrmModel,
  batch: Batch,
): Generator<{ part: Batch; first: number }> {
  let size = Math.min(SIDE_BY_SIDE, evaluationRows(config, device.limits));
  while (SIDE_BY_SIDE % size !== 0) size--;
  for (let first = 0; first < batch.rows; first += size) {
    yield { part: rowsOf(batch, first, first + size), first };
  }
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
