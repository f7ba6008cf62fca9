/**
 * The one-step gradient: what a training call returns, against central differences of the loss in float64. The warm
 * states, exactness and target_q_continue are constants there, as HRM has it.
 */
import { type Device, openDevice, Philox, type Tensor } from '@hrm-webgpu/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  hasQContinue,
  type MetricSums,
  noExploration,
  readMetrics,
  totalLoss,
  trainingCall,
} from '../packages/hrm/src/model/act.ts';
import { Carry, uploadBatch } from '../packages/hrm/src/model/carry.ts';
import { DEFAULT_ARCH, type ModelConfig } from '../packages/hrm/src/model/config.ts';
import { HrmModel } from '../packages/hrm/src/model/model.ts';
import { BUFFER_NAMES, PUZZLE_ROWS, parameterShapes } from '../packages/hrm/src/model/parameters.ts';
import { ruleWeight } from '../packages/hrm/src/parity/rule-weights.ts';
import { LOCAL_ROWS, ReferenceHrm, type Weights } from './reference-hrm.ts';

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());

const BATCH = 3;
const GLOBAL_BATCH = 5; // not BATCH: the two must not be mixed up

const base: ModelConfig = {
  ...DEFAULT_ARCH,
  hidden_size: 30,
  num_heads: 3,
  H_layers: 1,
  L_layers: 2,
  H_cycles: 1,
  L_cycles: 1,
  puzzle_emb_ndim: 30,
  vocab_size: 7,
  seq_len: 5,
  num_puzzle_identifiers: 3,
};
const learned = {
  ...base,
  hidden_size: 32,
  num_heads: 4,
  puzzle_emb_ndim: 48,
  pos_encodings: 'learned',
} as const;
const withoutPuzzle = { ...base, puzzle_emb_ndim: 0 };
const twoCycles = { H_cycles: 2, L_cycles: 2 };
const softmax = { loss_type: 'softmax_cross_entropy' } as const;

const configs: [string, ModelConfig][] = [
  ['rope, P = 1, 1×1 cycles, stablemax', base],
  ['rope, P = 1, 2×2 cycles, softmax', { ...base, ...twoCycles, ...softmax }],
  ['learned positions, P = 2, 1×1 cycles, softmax', { ...learned, ...softmax }],
  ['learned positions, P = 2, 2×2 cycles, stablemax', { ...learned, ...twoCycles }],
  ['no puzzle embedding, 2×2 cycles, stablemax', { ...withoutPuzzle, ...twoCycles }],
  ['no puzzle embedding, 1×1 cycles, softmax', { ...withoutPuzzle, ...softmax }],
  ['the last of 2×2 cycles differentiated', { ...base, ...twoCycles, gradient_cycles: 1 }],
  ['all of 2×2 cycles differentiated', { ...base, ...twoCycles, gradient_cycles: 2 }],
  ['no q_continue', { ...base, ...twoCycles, no_continue: true }],
  ['a transformer', { ...base, model: 'transformer', halt_max_steps: 1 }],
];

/** Row 1 has no valid label; of the others some are ignored. Rows 0 and 2 share a puzzle. Token 6 never occurs. */
function makeBatch({ seq_len, vocab_size, puzzle_emb_ndim }: ModelConfig) {
  const random = new Philox(3);
  const inputs = Int32Array.from({ length: BATCH * seq_len }, () => random.below(vocab_size - 1));
  const labels = inputs.map((_, i) =>
    Math.floor(i / seq_len) === 1 || i % 7 === 2 ? -100 : random.below(vocab_size),
  );
  const puzzleIdentifiers = Int32Array.of(2, 1, 2).map((id) => (puzzle_emb_ndim > 0 ? id : 0));
  return { inputs, labels, puzzleIdentifiers, rows: BATCH };
}

/** Weights in float64, those of the puzzles gathered into rows of the batch. */
function referenceWeights(weights: ReadonlyMap<string, Float32Array>, identifiers: Int32Array): Weights {
  const result: Weights = new Map();
  for (const [name, values] of weights) {
    if (name !== PUZZLE_ROWS) {
      result.set(name, Float64Array.from(values));
      continue;
    }
    const width = values.length / base.num_puzzle_identifiers;
    const rows = [...identifiers].flatMap((id) => [...values.subarray(id * width, (id + 1) * width)]);
    result.set(LOCAL_ROWS, Float64Array.from(rows));
  }
  return result;
}

/** Draws that never explore: 1 is not below any probability. */

/** What one call on a fresh carry gives: gradients by name, the loss and the targets. */
async function callOnGpu(config: ModelConfig, weights: ReadonlyMap<string, Float32Array>) {
  const model = await HrmModel.load(device, config, (name) => weights.get(name) as Float32Array);
  const carry = Carry.fresh(model, BATCH);
  const { gradients, output } = device.scope(() =>
    trainingCall(carry, uploadBatch(model, makeBatch(config)), noExploration(carry), GLOBAL_BATCH),
  );
  const named = new Map<string, Float32Array>();
  for (const [name, tensor] of [...model.weights, [LOCAL_ROWS, model.localPuzzleRows(BATCH)] as const]) {
    const gradient = tensor && gradients.get(tensor);
    if (gradient) named.set(name, await gradient.readF32());
  }
  expect(named.size).toBe(gradients.size);
  const result = {
    gradients: named,
    loss: lossOf(config, await readMetrics(output.metrics, hasQContinue(config))),
    targets: await output.targets.readF32(),
  };
  for (const tensor of [...gradients.values(), ...(Object.values(output) as Tensor[])]) tensor.dispose();
  carry.dispose();
  model.dispose();
  return result;
}

/** What is differentiated: without ACT the q_halt_loss is told, and not part of it. */
function lossOf({ model }: ModelConfig, sums: MetricSums): number {
  return model === 'transformer' ? sums.lm_loss : totalLoss(sums);
}

/** Central difference of `f` when `values` move along `direction` (a unit vector). */
function derivativeAlong(f: () => number, values: Float64Array, direction: ArrayLike<number>): number {
  // Truncation ~h², roundoff ~2⁻⁵³/h: 1e-10 of losses of unit size.
  const h = 1e-5;
  const start = values.slice();
  const at = (distance: number) => {
    for (let i = 0; i < values.length; i++) values[i] = start[i] + distance * direction[i];
    return f();
  };
  const difference = (at(h) - at(-h)) / (2 * h);
  values.set(start);
  return difference;
}

// The engine computes in f32: three blocks forward and back, some hundred roundings deep, with sums of up to 256
// terms. Measured on llvmpipe over all tensors and models: at most 1.1e-6 of the largest |gradient| for an element,
// 2.2e-6 along a direction of random signs, where errors are relative to what such a sum of independent terms amounts
// to, |gradient|/√n. Parity allows 2e-4.
const ELEMENT = 5e-6;
const ALONG = 1e-5;
/** A loss of about 10 and targets below 1: a few roundoffs of the logits. Measured: 6.4e-8 and 1.8e-7. */
const FORWARD = 1e-6;

describe.each(configs)('%s', (_, config) => {
  it('the gradient of every trained tensor is that of the float64 loss', async () => {
    const weights = new Map(
      [...parameterShapes(config)].map(([name, shape]) => [name, ruleWeight(name, shape)] as const),
    );
    const data = makeBatch(config);
    const reference = referenceWeights(weights, data.puzzleIdentifiers);
    const hrm = new ReferenceHrm(config, reference, BATCH);
    const warm = hrm.warmUp(hrm.initialState(), data);
    const gpu = await callOnGpu(config, weights);

    const first = hrm.lastSteps(warm, data);
    expect(Math.abs(gpu.loss / hrm.loss(first, data, gpu.targets) - 1)).toBeLessThan(FORWARD);
    const targetError = hrm
      .targets(first, data)
      .map((target, i) => (i % 2 === 0 || hasQContinue(config) ? Math.abs(target - gpu.targets[i]) : 0));
    expect(Math.max(...targetError)).toBeLessThan(FORWARD);

    const loss = () => hrm.loss(hrm.lastSteps(warm, data), data, gpu.targets) / GLOBAL_BATCH;
    const untrained = [...BUFFER_NAMES, PUZZLE_ROWS];
    const trained = [...reference.keys()].filter((name) => !untrained.includes(name));
    expect([...gpu.gradients.keys()].sort()).toEqual(trained.sort());
    const random = new Philox(11);
    for (const name of trained) {
      const values = reference.get(name) as Float64Array;
      const gradient = gpu.gradients.get(name) as Float32Array;
      expect(gradient.length).toBe(values.length);
      if (config.model === 'transformer' && name.startsWith('q_head')) {
        expect(gradient.every((g) => g === 0)).toBe(true);
        continue;
      }
      const errors = compareGradient(loss, values, gradient, random);
      expect(errors.element, `an element of ${name}, relative to the largest`).toBeLessThan(ELEMENT);
      expect(errors.along, `${name} along a direction`).toBeLessThan(ALONG);
    }
  });
});

/** Errors of a gradient at 12 random elements and its largest, and along a direction of random signs. */
function compareGradient(loss: () => number, values: Float64Array, gradient: Float32Array, random: Philox) {
  const largest = gradient.reduce((a, g) => Math.max(a, Math.abs(g)), 0);
  expect(largest).toBeGreaterThan(0.01); // otherwise the error of the central difference would show
  const elements = Array.from({ length: 12 }, () => random.below(values.length));
  elements.push(gradient.findIndex((g) => Math.abs(g) === largest));
  const elementErrors = elements.map((at) => {
    const unit = values.map((_, i) => (i === at ? 1 : 0));
    return Math.abs(derivativeAlong(loss, values, unit) - gradient[at]) / largest;
  });
  const root = Math.sqrt(values.length);
  const direction = values.map(() => (random.below(2) === 0 ? -1 : 1) / root);
  const expected = gradient.reduce((sum, g, i) => sum + g * direction[i], 0);
  const typical = Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0)) / root;
  const along = Math.abs(derivativeAlong(loss, values, direction) - expected) / typical;
  return { element: Math.max(...elementErrors), along };
}
