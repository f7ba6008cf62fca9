/** Forward residuals ‖zⁱ − zⁱ⁻¹‖₂: how far each step moves the state of its module. */

import type { Batch } from '../data/dataset/sampler.ts';
import type { HrmModel } from '../model/model.ts';
import { observe } from './observed-run.ts';
import { parts } from './puzzles.ts';

export interface Residual {
  level: 'H' | 'L';
  /** Fast steps since the beginning, this one included; that of an H step is the L step before it. */
  step: number;
  /** From 1. */
  segment: number;
  /** Of all puzzles' residuals. */
  mean: number;
  lowerQuartile: number;
  upperQuartile: number;
}

export interface MeasureOptions {
  segments: number;
  signal?: AbortSignal;
  onProgress?: (done: number, total: number) => void;
}

/** The residuals of every step, over all puzzles of a batch; the state before the first step is `H_init` or `L_init`. */
export async function measureResiduals(
  model: HrmModel,
  puzzles: Batch,
  { segments, signal, onProgress }: MeasureOptions,
): Promise<Residual[]> {
  const steps: { level: 'H' | 'L'; step: number; segment: number; norms: number[] }[] = [];
  const total = puzzles.rows * segments;
  const initial = { H: await initialState(model, 'H'), L: await initialState(model, 'L') };
  for (const { part, first } of parts(model, puzzles)) {
    const before: Record<'H' | 'L', Float32Array> = { ...initial };
    let segment = 0;
    let index = 0;
    let fastStep = 0;
    for await (const observed of observe(model, part, { segments, signal })) {
      segment++;
      for (const { level, state } of observed.steps) {
        if (level === 'L') fastStep++;
        steps[index] ??= { level, step: fastStep, segment, norms: [] };
        steps[index++].norms.push(...distances(before[level], state, part.rows));
        before[level] = state;
      }
      onProgress?.(first * segments + part.rows * segment, total);
    }
  }
  return steps.map(({ norms, ...rest }) => ({ ...rest, ...summary(norms) }));
}

/** The state that all rows begin with, `H_init` or `L_init` at every position, [T, D]. */
export async function initialState(model: HrmModel, level: 'H' | 'L'): Promise<Float32Array> {
  const row = await model.weight(`${level}_init`).readF32();
  return Float32Array.from({ length: model.positions * row.length }, (_, i) => row[i % row.length]);
}

/** ‖after − before‖₂ of each row; `before` may be one row that all share. */
export function distances(before: Float32Array, after: Float32Array, rows: number): number[] {
  const length = after.length / rows;
  return Array.from({ length: rows }, (_, row) => {
    let squares = 0;
    for (let i = row * length; i < (row + 1) * length; i++) {
      squares += (after[i] - before[before.length === length ? i % length : i]) ** 2;
    }
    return Math.sqrt(squares);
  });
}

function summary(values: readonly number[]) {
  const sorted = [...values].sort((a, b) => a - b);
  /** Between the two values nearest to it. */
  const quantile = (share: number) => {
    const at = share * (sorted.length - 1);
    const low = Math.floor(at);
    return sorted[low] + (at - low) * (sorted[Math.ceil(at)] - sorted[low]);
  };
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, lowerQuartile: quantile(0.25), upperQuartile: quantile(0.75) };
}
