/**
 * Parity with the published implementation: runs a fixture folder through this engine and compares. The bars are
 * those that a plain f32 implementation meets with a margin of 4 or more.
 */
import type { Device, Plan, Tensor } from '@hrm-webgpu/core';
import type { TensorFile } from '../formats/tensor-file.ts';
import {
  type CallOutput,
  evaluationCall,
  type MetricSums,
  noExploration,
  readMetrics,
  totalLoss,
  trainingCall,
} from '../model/act.ts';
import { Carry, emptyBatch, uploadBatch, writeBatch } from '../model/carry.ts';
import { loadModel } from '../model/load.ts';
import { HrmModel } from '../model/model.ts';
import { PUZZLE_ROWS } from '../model/parameters.ts';
import { Optimizers, scheduleFactor } from '../training/optimizers.ts';
import { Comparison, type ParityRow } from './comparison.ts';
import { type Fixture, readBatch } from './fixture.ts';
import { ruleWeight } from './rule-weights.ts';

const EVAL_FIRST_SEGMENT = 2e-5;
const EVAL_LATER_SEGMENTS = 2e-4;
const GRADIENT = 2e-4;
const LOSS = 1e-5;
const LATE_LOSS = 1e-3;
const EARLY_STEPS = 5;
const TENSORS_AFTER_FIRST_STEP = 1e-5;
const TENSORS_AFTER_LAST_STEP = 2e-4;
/** A summed gradient near zero may flip its sign, and sign-SGD then moves the other way. */
const PUZZLE_ROWS_AFTER = 2e-2;

/** Runs all parts of a fixture that are there. */
export async function runParity(
  device: Device,
  fixture: Fixture,
  parts = ['eval', 'grad', 'trace'],
): Promise<ParityRow[]> {
  const comparison = new Comparison();
  if (fixture.eval && parts.includes('eval'))
    await withModel(device, fixture, (m) => compareEval(m, fixture, comparison));
  if (fixture.grad && parts.includes('grad'))
    await withModel(device, fixture, (m) => compareGrad(m, fixture, comparison));
  if (fixture.trace && parts.includes('trace'))
    await withModel(device, fixture, (m) => compareTrace(m, fixture, comparison));
  return comparison.rows;
}

async function withModel(
  device: Device,
  fixture: Fixture,
  body: (model: HrmModel) => Promise<void>,
): Promise<void> {
  const model = fixture.checkpoint
    ? await loadModel(device, fixture.model, fixture.checkpoint)
    : await HrmModel.load(device, fixture.model, ruleWeight);
  try {
    await body(model);
  } finally {
    model.dispose();
  }
}

async function compareEval(model: HrmModel, fixture: Fixture, comparison: Comparison): Promise<void> {
  const file = fixture.eval as TensorFile;
  const batch = uploadBatch(model, await readBatch(file, 'batch'));
  const carry = Carry.fresh(model, fixture.batchSize);
  for (let segment = 0; segment < fixture.segments; segment++) {
    const output = model.device.scope(() => evaluationCall(carry, batch));
    const bar = segment === 0 ? EVAL_FIRST_SEGMENT : EVAL_LATER_SEGMENTS;
    const found = await evalArrays(model, output);
    for (const [name, actual] of Object.entries(found)) {
      const key = `eval.${segment}.${name}`;
      if (!file.names.includes(key)) continue;
      const reference = await file.readF32(key);
      const scale = reference.reduce((a, b) => Math.max(a, Math.abs(b)), 1);
      comparison.elements(`eval, segment ${segment}`, name, actual, reference, bar * scale);
    }
    disposeAll(output);
  }
  carry.dispose();
  disposeAll(batch);
}

/** The arrays of an evaluation by the fixtures' names. */
async function evalArrays(model: HrmModel, output: CallOutput): Promise<Record<string, Float32Array>> {
  const { hidden_size: dim } = model.config;
  const z_H = await output.z_H.readF32();
  const perRow = model.positions * dim;
  const token = (position: number) =>
    Float32Array.from(
      { length: (z_H.length / perRow) * dim },
      (_, i) => z_H[Math.floor(i / dim) * perRow + position * dim + (i % dim)],
    );
  return {
    ...(await outputArrays(model, output)),
    z_H,
    z_L: await output.z_L.readF32(),
    z_H_first_token: token(0),
    z_H_last_token: token(model.positions - 1),
  };
}

/** Logits without the puzzle positions, and the two columns of q. */
async function outputArrays(
  model: HrmModel,
  { logits, q }: CallOutput,
): Promise<Record<string, Float32Array>> {
  const all = await logits.readF32();
  const { seq_len, vocab_size } = model.config;
  const values = await q.readF32();
  const perRow = model.positions * vocab_size;
  const kept = seq_len * vocab_size;
  return {
    logits: Float32Array.from(
      { length: (all.length / perRow) * kept },
      (_, i) => all[Math.floor(i / kept) * perRow + model.prefix * vocab_size + (i % kept)],
    ),
    q_halt_logits: values.filter((_, i) => i % 2 === 0),
    q_continue_logits: values.filter((_, i) => i % 2 === 1),
  };
}

async function compareGrad(model: HrmModel, fixture: Fixture, comparison: Comparison): Promise<void> {
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
    comparison.elements(
      'grad, losses and metrics',
      name,
      [value],
      reference,
      LOSS * Math.max(1, Math.abs(reference[0])),
    );
  }
  const targets = (await output.targets.readF32()).filter((_, i) => i % 2 === 1);
  const outputs: Record<string, ArrayLike<number>> = await outputArrays(model, output);
  if (hasQContinue) outputs.target_q_continue = targets;
  for (const [name, actual] of Object.entries(outputs)) {
    if (!file.names.includes(`out.${name}`)) continue;
    const reference = await file.readF32(`out.${name}`);
    const scale = reference.reduce((a, b) => Math.max(a, Math.abs(b)), 1);
    comparison.elements('grad, outputs', name, actual, reference, EVAL_FIRST_SEGMENT * scale);
  }
  for (const name of ['halted', 'steps'] as const) {
    comparison.elements(
      'grad, carry',
      name,
      await carry.current[name].read(),
      await file.readF32(`carry.${name}`),
      0,
    );
  }
  for (const [name, gradient] of namedGradients(model, gradients, fixture.batchSize)) {
    const reference = await file.readF32(`grad.${name}`);
    const scale = reference.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    comparison.elements('grad, gradients', name, await gradient.readF32(), reference, GRADIENT * scale);
  }
  for (const gradient of gradients.values()) gradient.dispose();
  disposeAll(output);
  carry.dispose();
  disposeAll(batch);
}

function namedGradients(model: HrmModel, gradients: Map<Tensor, Tensor>, batch: number): [string, Tensor][] {
  const named = model.trained.map(([name, weight]): [string, Tensor] => [
    name,
    gradients.get(weight) as Tensor,
  ]);
  const local = model.localPuzzleRows(batch);
  const rows = local && gradients.get(local);
  return rows ? [...named, ['puzzle_emb.local_weights', rows]] : named;
}

async function compareTrace(model: HrmModel, fixture: Fixture, comparison: Comparison): Promise<void> {
  const { tensors, lists, steps } = fixture.trace as NonNullable<Fixture['trace']>;
  const optimizers = new Optimizers(model, fixture.train);
  const carry = Carry.fresh(model, fixture.batchSize);
  const incoming = emptyBatch(model, fixture.batchSize);
  const exploration = noExploration(carry);
  let plan: Plan<Tensor> | undefined; // steps run as they do in training: recorded once, replayed
  for (let step = 1; step <= steps; step++) {
    const factor = scheduleFactor(step, fixture.totalSteps, fixture.train);
    const rates = { lr: fixture.train.lr * factor, puzzle_emb_lr: fixture.train.puzzle_emb_lr * factor };
    const batch = await readBatch(tensors, `${step}.batch`);
    const drawn = await readExploration(tensors, step);
    optimizers.begin(rates);
    writeBatch(incoming, batch);
    if (drawn) {
      exploration.uniform.write(drawn.uniform);
      exploration.minSteps.write(drawn.minSteps);
    }
    plan ??= model.device.record(() => {
      const call = trainingCall(carry, incoming, exploration, fixture.train.global_batch_size);
      optimizers.step(call.gradients, call.puzzle);
      return call.output.metrics;
    });
    plan.replay();
    const sums = await readMetrics(plan.result, model.config.halt_max_steps > 1);
    const at = (name: string) => lists[name]?.[step - 1];
    compareStep(comparison, step, { ...sums, loss: totalLoss(sums), ...rates }, at);
    for (const [name, tensor] of [
      ['halted', carry.current.halted],
      ['steps_carry', carry.current.steps],
    ] as const) {
      comparison.elements(
        'trace, halting',
        `step ${step} ${name}`,
        await tensor.read(),
        at(name) as number[],
        0,
      );
    }
    if (step === 1 || step === steps) await compareWeights(model, tensors, step, comparison);
  }
  plan?.dispose();
  optimizers.dispose();
  carry.dispose();
  disposeAll(incoming);
  disposeAll(exploration);
}

function compareStep(
  comparison: Comparison,
  step: number,
  found: MetricSums & { loss: number; lr: number; puzzle_emb_lr: number },
  at: (name: string) => number | number[] | undefined,
): void {
  const compare = (group: string, name: keyof typeof found, bar: number) => {
    const reference = at(name);
    if (typeof reference !== 'number') return;
    const allowed = bar * Math.max(1, Math.abs(reference));
    comparison.elements(group, `step ${step} ${name}`, [found[name]], [reference], allowed);
  };
  for (const name of ['count', 'exact_accuracy', 'steps'] as const) compare('trace, metrics', name, 0);
  const [group, bar] =
    step <= EARLY_STEPS
      ? (['trace, losses to step 5', LOSS] as const)
      : (['trace, losses after', LATE_LOSS] as const);
  for (const name of ['lm_loss', 'q_halt_loss', 'q_continue_loss', 'loss'] as const)
    compare(group, name, bar);
  for (const name of ['lr', 'puzzle_emb_lr'] as const) compare('trace, learning rates', name, 1e-12);
}

async function compareWeights(
  model: HrmModel,
  file: TensorFile,
  step: number,
  comparison: Comparison,
): Promise<void> {
  for (const [name, tensor] of model.weights) {
    const bar = step === 1 ? TENSORS_AFTER_FIRST_STEP : TENSORS_AFTER_LAST_STEP;
    const rows = name === PUZZLE_ROWS;
    const group = rows
      ? 'trace, puzzle rows'
      : `trace, tensors after ${step === 1 ? 'step 1' : 'the last step'}`;
    const reference = await file.readF32(`${step}.after.${name}`);
    const label = `${name} after step ${step}`;
    comparison.norm(group, label, await tensor.readF32(), reference, rows ? PUZZLE_ROWS_AFTER : bar);
  }
}

/** What exploration drew at a step, where the fixture has it. */
async function readExploration(file: TensorFile, step: number) {
  if (!file.names.includes(`${step}.explore_uniform`)) return undefined;
  const minSteps = (await file.read(`${step}.explore_min_steps`)) as Int32Array;
  return { uniform: await file.readF32(`${step}.explore_uniform`), minSteps: Uint32Array.from(minSteps) };
}

function disposeAll(tensors: object): void {
  for (const tensor of Object.values(tensors) as Tensor[]) tensor.dispose();
}
