/** Participation ratios of z_H and z_L, and what they are over fewer puzzles. */

import type { Batch } from '../data/dataset/sampler.ts';
import type { HrmModel } from '../model/model.ts';
import { CovarianceSums, centredGram, gramMatrix, participationRatio } from './covariance.ts';
import { observe } from './observed-run.ts';
import { parts } from './puzzles.ts';
import type { MeasureOptions } from './residuals.ts';

/**
 * What the rows of the covariance are, which the paper does not say:
 * - `positions`: the D numbers of every position (those of the puzzle embedding too) after every H step;
 * - `grids`: the T·D numbers of all positions together after every segment.
 * Both states are taken at the same times, so that there are as many rows of each.
 */
export type RowChoice = 'positions' | 'grids';

export interface Participation {
  rows: RowChoice;
  /** The first so many puzzles. */
  puzzles: number;
  /** Rows of the covariance. */
  count: number;
  H: number;
  L: number;
}

/** Puzzles by which their number grows. */
const STEP = 10;

/** Over 10, 20, … and all puzzles of a batch. */
export async function measureParticipation(
  model: HrmModel,
  puzzles: Batch,
  { segments, signal, onProgress }: MeasureOptions,
): Promise<Participation[]> {
  const { hidden_size } = model.config;
  const positions = { H: new CovarianceSums(hidden_size), L: new CovarianceSums(hidden_size) };
  const grids: Record<'H' | 'L', Float32Array[]> = { H: [], L: [] };
  const found: Participation[] = [];
  for (const { part, first } of parts(model, puzzles)) {
    let segment = 0;
    for await (const { steps } of observe(model, part, { segments, signal })) {
      steps.forEach(({ level, state }, i) => {
        if (level !== 'H') return;
        positions.H.add(state);
        positions.L.add(steps[i - 1].state);
      });
      const last = { H: steps[steps.length - 1].state, L: steps[steps.length - 2].state };
      for (const level of ['H', 'L'] as const) grids[level].push(...splitRows(last[level], part.rows));
      onProgress?.(first * segments + part.rows * ++segment, puzzles.rows * segments);
    }
    const number = first + part.rows;
    if (number % STEP !== 0 && number < puzzles.rows) continue;
    found.push({
      ...{ rows: 'positions', puzzles: number, count: positions.H.count },
      H: participationRatio(positions.H.covariance()),
      L: participationRatio(positions.L.covariance()),
    });
  }
  const grams = { H: gramMatrix(grids.H), L: gramMatrix(grids.L) };
  const ofGrids = found.map(({ puzzles: number }): Participation => {
    const count = number * segments;
    const ratio = (gram: Float64Array) => participationRatio(centredGram(gram, count));
    return { rows: 'grids', puzzles: number, count, H: ratio(grams.H), L: ratio(grams.L) };
  });
  return [...found, ...ofGrids];
}

function splitRows(state: Float32Array, rows: number): Float32Array[] {
  const length = state.length / rows;
  return Array.from({ length: rows }, (_, row) => state.slice(row * length, (row + 1) * length));
}
