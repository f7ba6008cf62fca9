/**
 * Parity with the published implementation: runs a fixture folder through this engine and compares. What is judged, by
 * which bars and why: docs/parity.md.
 */
import type { Device } from '@hrm-webgpu/core';
import { loadModel } from '../model/load.ts';
import { HrmModel } from '../model/model.ts';
import { Comparison, type ParityRow } from './comparison.ts';
import { compareEval } from './eval.ts';
import type { Fixture } from './fixture.ts';
import { compareGradients } from './gradients.ts';
import { ruleWeight } from './rule-weights.ts';
import { compareTrace } from './trace/trace.ts';

/**
 * Runs all parts of a fixture that are there.
 *
 * @param signal takes effect between two parts, and while weights are loaded
 * @throws the signal's reason when aborted
 */
export async function runParity(
  device: Device,
  fixture: Fixture,
  parts = ['eval', 'grad', 'trace'],
  signal?: AbortSignal,
): Promise<ParityRow[]> {
  const comparison = new Comparison();
  const withModel = (body: (model: HrmModel) => Promise<void>) =>
    withFixtureModel(device, fixture, body, signal);
  if (fixture.eval && parts.includes('eval'))
    await withModel((model) => compareEval(model, fixture, comparison));
  if (fixture.grad && parts.includes('grad'))
    await withModel((model) => compareGradients(model, fixture, comparison));
  if (fixture.trace && parts.includes('trace'))
    await withModel((own) => withModel((opposite) => compareTrace(own, opposite, fixture, comparison)));
  return comparison.rows;
}

async function withFixtureModel(
  device: Device,
  fixture: Fixture,
  body: (model: HrmModel) => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<void> {
  signal?.throwIfAborted();
  const model = fixture.checkpoint
    ? await loadModel(device, fixture.model, fixture.checkpoint, { signal })
    : await HrmModel.load(device, fixture.model, ruleWeight);
  try {
    await body(model);
  } finally {
    model.dispose();
  }
}
