/** Which operations, at which shapes, a model does: what is worth tuning, and what a record covers. */
import type { Device } from '@hrm-webgpu/core';
import { observeOperations, type Use } from '@hrm-webgpu/kernels/operation';
import { noExploration, trainingCall } from '../model/act.ts';
import { Carry, emptyBatch } from '../model/carry.ts';
import { InferenceState, type MakeCompanion } from '../model/inference.ts';
import type { HrmModel } from '../model/model.ts';

/** The batches that a model works on: every operation depends on their rows. */
export interface Workload {
  /** Rows of a training call, those of a micro-batch where there is one; absent where nothing is trained. */
  training?: number;
  /** Rows of batches that are only answered: evaluated, solved. */
  inference: readonly number[];
}

/** The tunable operations of a workload, each once, by what a tuning record calls them. Nothing of it is computed. */
export function operationsOf(model: HrmModel, { training, inference }: Workload): Map<string, Use> {
  return observeOperations(model.device, () => {
    if (training !== undefined) recordTraining(model, training);
    for (const rows of new Set(inference)) recordInference(model, rows);
  });
}

/** Records a training call on so many rows, for those who observe the device: nothing is computed. */
export function recordTraining(model: HrmModel, rows: number): void {
  const { device } = model;
  const carry = Carry.fresh(model, rows);
  const batch = emptyBatch(model, rows);
  model.localPuzzleRows(rows); // which the model keeps, and a recording would not
  try {
    recordForNothing(device, () => trainingCall(carry, batch, noExploration(carry), rows));
  } finally {
    for (const tensor of [batch.inputs, batch.labels, batch.puzzle_identifiers]) tensor.dispose();
    carry.dispose();
  }
}

/** The same for a call that only answers. Apart, so that who only answers carries no gradients. */
export function recordInference(model: HrmModel, rows: number, makeCompanion?: MakeCompanion): void {
  model.localPuzzleRows(rows);
  const state = new InferenceState(model, rows, makeCompanion);
  try {
    recordForNothing(model.device, () => state.segment());
  } finally {
    state.dispose();
  }
}

/** Records what `body` does and drops it before there is a plan: that would take the memory of a training step. */
export function recordForNothing(device: Device, body: () => void): void {
  const enough = new Error('recorded for nothing');
  try {
    device.record(() => {
      body();
      throw enough;
    });
  } catch (error) {
    if (error !== enough) throw error;
  }
}
