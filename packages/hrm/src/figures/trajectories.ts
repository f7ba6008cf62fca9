/** Single puzzles on their way: where their states go, what q says, and which answers pass by. */

import type { Batch } from '../data/dataset/sampler.ts';
import type { HrmModel } from '../model/model.ts';
import { observe } from './observed-run.ts';
import { type Projection, principalComponents } from './principal-components.ts';
import { cellAccuracy, parts, rowsOf } from './puzzles.ts';
import type { MeasureOptions } from './residuals.ts';

/** After each segment of one puzzle. */
export interface SegmentOfPuzzle {
  /** From 1. */
  segment: number;
  /** Logits. */
  qHalt: number;
  qContinue: number;
  /** Share of the labels that are right. */
  accuracy: number;
}

export interface Trajectory {
  /** The row of the batch. */
  row: number;
  /** Where the state stands after each step of its module, in the two components of this puzzle alone. */
  H: Projection;
  L: Projection;
  segments: SegmentOfPuzzle[];
}

/** Of each row of a batch. */
export async function measureTrajectories(
  model: HrmModel,
  puzzles: Batch,
  { segments, signal, onProgress }: MeasureOptions,
): Promise<Trajectory[]> {
  const columns = model.config.seq_len;
  const found: Trajectory[] = [];
  // One puzzle at a time: its states are kept until the end.
  for (let row = 0; row < puzzles.rows; row++) {
    const batch = rowsOf(puzzles, row, row + 1);
    const states: Record<'H' | 'L', Float32Array[]> = { H: [], L: [] };
    const ends: SegmentOfPuzzle[] = [];
    for await (const { steps, prediction, q } of observe(model, batch, { segments, signal })) {
      for (const { level, state } of steps) states[level].push(state);
      const accuracy = cellAccuracy(batch.labels, prediction.subarray(0, columns));
      ends.push({ segment: ends.length + 1, qHalt: q[0], qContinue: q[1], accuracy });
      onProgress?.(row * segments + ends.length, puzzles.rows * segments);
    }
    const [H, L] = [principalComponents(states.H), principalComponents(states.L)];
    found.push({ row, H, L, segments: ends });
  }
  return found;
}

/** What a puzzle's answer is at each fast step. */
export interface IntermediateAnswers {
  row: number;
  /** [seq_len] */
  input: Int32Array;
  /** [seq_len] each, in their order: H_cycles · L_cycles a segment. */
  answers: Int32Array[];
}

/** Of each row of a batch: lm_head(H(z_H, z_L)) after every L step. The last of a segment is the segment's own answer. */
export async function measureAnswers(
  model: HrmModel,
  puzzles: Batch,
  { segments, signal, onProgress }: MeasureOptions,
): Promise<IntermediateAnswers[]> {
  const columns = model.config.seq_len;
  const found: IntermediateAnswers[] = [];
  for (const { part, first } of parts(model, puzzles)) {
    const ofPart = Array.from({ length: part.rows }, (_, i): IntermediateAnswers => {
      return { row: first + i, input: rowsOf(part, i, i + 1).inputs, answers: [] };
    });
    let segment = 0;
    for await (const { steps } of observe(model, part, { segments, answers: true, signal })) {
      for (const { answer } of steps) {
        if (!answer) continue;
        ofPart.forEach(({ answers }, i) => {
          answers.push(answer.slice(i * columns, (i + 1) * columns));
        });
      }
      onProgress?.(first * segments + part.rows * ++segment, puzzles.rows * segments);
    }
    found.push(...ofPart);
  }
  return found;
}

/** The last step that changed the answer, from 0. */
export function settlesAt(answers: readonly Int32Array[]): number {
  let last = 0;
  for (let i = 1; i < answers.length; i++) {
    if (answers[i].some((token, cell) => token !== answers[i - 1][cell])) last = i;
  }
  return last;
}
