import type { Tensor } from '@hrm-webgpu/core';
import type { TensorFile } from '../formats/tensor-file.ts';
import { noExploration, readMetrics, totalLoss, trainingCall } from '../model/act.ts';
import { Carry, uploadBatch } from '../model/carry.ts';
import type { HrmModel } from '../model/model.ts';
import { type Comparison, largest } from './comparison.ts';
import { type Fixture, readBatch } from './fixture.ts';
import { disposeAll, outputArrays } from './outputs.ts';

/** Of max(1, |reference|). */
const LOSS = 1e-5;
/** Of max(1, the largest |reference|). */
const OUTPUT = 2e-5;
/** Of the largest |reference|. */
const GRADIENT = 2e-4;

/** The puzzle rows of a batch, by the fixtures' name: one gradient a row, not summed over equal identifiers. */
export const LOCAL_ROWS = 'puzzle_emb.local_weights';

/** One training call from a fresh carry: losses, metrics, outputs, halting and all gradients. */
export async function compareGradients(
  model: HrmModel,
  fixture: Fixture,
  comparison: Comparison,
): Promise<void> {
  const file = fixture.grad as TensorFile;
  const { device } = model;
  const batch = uploadBatch(model, await readBatch(file, 'batch'));
  const carry = Carry.fresh(model, fixture.batchSize);
  const { gradients, output } = device.scope(() =>
    trainingCall(carry, batch, noExploration(carry), fixture.batchSize),
  );
  const hasQContinue = model.config.halt_max_steps > 1;
  const sums = await readMetrics(output.metrics, hasQContinue);
  for (const [name, value] of Object.entries({ ...sums, loss: totalLoss(sums) })) {
    const key = name === 'loss' ? name : `metric.${name}`;
    if (!file.names.includes(key)) continue;
    const reference = await file.readF32(key);
    const allowed = LOSS * largest(reference, 1);
    comparison.elements('grad, losses and metrics', name, [value], reference, allowed);
  }
  const outputs = await outputArrays(model, output);
  if (hasQContinue) {
    outputs.target_q_continue = (await output.targets.readF32()).filter((_, i) => i % 2 === 1);
  }
  for (const [name, actual] of Object.entries(outputs)) {
    if (!file.names.includes(`out.${name}`)) continue;
    const reference = await file.readF32(`out.${name}`);
    comparison.elements('grad, outputs', name, actual, reference, OUTPUT * largest(reference, 1));
  }
  for (const name of ['halted', 'steps'] as const) {
    const actual = await carry.current[name].read();
    comparison.elements('grad, carry', name, actual, await file.readF32(`carry.${name}`), 0);
  }
  for (const [name, gradient] of namedGradients(model, gradients, fixture.batchSize)) {
    const reference = await file.readF32(`grad.${name}`);
    const allowed = GRADIENT * largest(reference);
    comparison.elements('grad, gradients', name, await gradient.readF32(), reference, allowed);
  }
  for (const gradient of gradients.values()) gradient.dispose();
  disposeAll(output);
  carry.dispose();
  disposeAll(batch);
}

/** The gradients of a training call by name: of every trained tensor, and of the {@link LOCAL_ROWS}. */
export function namedGradients(
  model: HrmModel,
  gradients: ReadonlyMap<Tensor, Tensor>,
  batch: number,
): Map<string, Tensor> {
  const named = new Map(model.trained.map(([name, weight]) => [name, gradients.get(weight) as Tensor]));
  const local = model.localPuzzleRows(batch);
  const rows = local && gradients.get(local);
  return rows ? named.set(LOCAL_ROWS, rows) : named;
}
