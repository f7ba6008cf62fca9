import { type Device, openDevice } from '@hrm-webgpu/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Batch } from '../../src/data/dataset/sampler.ts';
import { batchOf } from '../../src/figures/batch-of.ts';
import { confidenceOf } from '../../src/figures/confidence.ts';
import { CovarianceSums, participationRatio } from '../../src/figures/covariance.ts';
import { type ObservedSegment, observe } from '../../src/figures/observed-run.ts';
import { measureParticipation } from '../../src/figures/participation.ts';
import { rowsOf } from '../../src/figures/puzzles.ts';
import { measureResiduals } from '../../src/figures/residuals.ts';
import { measureAnswers, measureTrajectories } from '../../src/figures/trajectories.ts';
import { Carry, uploadBatch } from '../../src/model/carry.ts';
import { DEFAULT_ARCH, type ModelConfig } from '../../src/model/config.ts';
import { Inference } from '../../src/model/inference.ts';
import { initializeModel } from '../../src/model/init.ts';
import type { HrmModel } from '../../src/model/model.ts';

const S = 16;
const ROWS = 12;
const config: ModelConfig = {
  ...DEFAULT_ARCH,
  ...{ hidden_size: 32, num_heads: 2, H_layers: 1, L_layers: 1, H_cycles: 3, L_cycles: 2, halt_max_steps: 2 },
  ...{ puzzle_emb_ndim: 32, vocab_size: 6, seq_len: S, num_puzzle_identifiers: 1 },
};

let device: Device;
let model: HrmModel;
const puzzles: Batch = {
  inputs: Int32Array.from({ length: ROWS * S }, (_, i) => (i * i + 3 * Math.floor(i / S)) % 6),
  labels: Int32Array.from({ length: ROWS * S }, (_, i) => (i * 5) % 6),
  puzzleIdentifiers: new Int32Array(ROWS),
  rows: ROWS,
};

beforeAll(async () => {
  device = await openDevice();
  model = await initializeModel(device, config, 3);
});
afterAll(() => {
  model.dispose();
  device.close();
});

async function observed(segments: number, batch = puzzles): Promise<ObservedSegment[]> {
  const found: ObservedSegment[] = [];
  for await (const segment of observe(model, batch, { segments, answers: true })) found.push(segment);
  return found;
}

it('a segment that is observed has the bits of one that is not', async () => {
  const tensors = device.tensors.size;
  const results: Float32Array[][] = [];
  const seen: string[] = [];
  for (const watched of [false, true]) {
    const carry = Carry.fresh(model, ROWS);
    const data = uploadBatch(model, puzzles);
    carry.refill(data);
    const output = device.scope(() =>
      device.tape.noGrad(() =>
        model.segment(
          carry.current,
          carry.current,
          carry.current,
          watched ? (level) => seen.push(level) : undefined,
        ),
      ),
    );
    results.push(
      await Promise.all([output.z_H, output.z_L, output.logits, output.q].map((tensor) => tensor.readF32())),
    );
    for (const tensor of [output.z_H, output.z_L, output.logits, output.q]) tensor.dispose();
    for (const tensor of [data.inputs, data.labels, data.puzzle_identifiers]) tensor.dispose();
    carry.dispose();
  }
  expect(seen.join('')).toBe('LLHLLHLLH');
  expect(results[0]).toEqual(results[1]);
  // But for the local puzzle rows, which a model keeps.
  expect(device.tensors.size).toBeLessThanOrEqual(tensors + 1);
});

it('an observed run gives the answers of any other, and leaves no memory behind', async () => {
  const inference = new Inference(model, ROWS);
  inference.start(puzzles);
  const expected: { prediction: Int32Array; q: Float32Array }[] = [];
  for (let segment = 0; segment < 3; segment++) {
    inference.offer(puzzles, new Uint32Array(ROWS).fill(segment === 0 ? 1 : 0), new Uint32Array(ROWS));
    inference.segment();
    const { prediction, q } = await inference.read();
    expected.push({ prediction: prediction.slice(), q: q.slice() });
  }
  inference.dispose();
  const before = device.tensors.size;
  const found = await observed(3);
  expect(device.tensors.size).toBe(before);
  expect(found.map(({ prediction, q }) => ({ prediction, q }))).toEqual(expected);
  for (const { steps, prediction } of found) {
    expect(steps.map(({ level }) => level).join('')).toBe('LLHLLHLLH');
    // After the last L step an H step does come next.
    expect(steps[7].answer).toEqual(prediction);
    expect(steps[8].answer).toBeUndefined();
  }
  expect(found[0].steps[6].answer).not.toEqual(found[0].steps[0].answer);
});

it.each(['softmax_cross_entropy', 'stablemax_cross_entropy'] as const)(
  'says by %s how sure the model is of its prediction, and changes no bit',
  async (loss_type) => {
    const own = await initializeModel(device, { ...config, loss_type }, 4);
    const before = device.tensors.size;
    const run = async (confidences: boolean) => {
      const found: ObservedSegment[] = [];
      for await (const segment of observe(own, puzzles, { segments: 2, answers: true, confidences }))
        found.push(segment);
      return found;
    };
    const [plain, sure] = [await run(false), await run(true)];
    expect(device.tensors.size).toBeLessThanOrEqual(before + 1); // the local puzzle rows, which a model keeps
    expect(sure.map(({ confidence: _, ...rest }) => rest)).toEqual(plain);
    expect(plain[0]).not.toHaveProperty('confidence');
    const head = await own.weight('lm_head.weight').readF32();
    for (const { steps, prediction, confidence = new Float32Array() } of sure) {
      expect(confidence).toHaveLength(ROWS * S);
      const z_H = steps[8].state;
      for (let i = 0; i < ROWS * S; i++) {
        // A position of the puzzle embedding stands before the S of a row.
        const position = i + Math.floor(i / S) + 1;
        const weights = Array.from({ length: 6 }, (_, token) => {
          let logit = 0;
          for (let d = 0; d < 32; d++) logit += head[token * 32 + d] * z_H[position * 32 + d];
          if (loss_type === 'softmax_cross_entropy') return Math.exp(logit);
          return logit < 0 ? 1 / (1 - logit) : 1 + logit;
        });
        const expected = weights[prediction[i]] / weights.reduce((sum, weight) => sum + weight, 0);
        // Logits are sums of 32 products below 1 in f32: off by some 1e-6 at most, and by as much the probability.
        expect(confidence[i]).toBeCloseTo(expected, 5);
        expect(confidence[i]).toBeCloseTo(Math.max(...weights) / weights.reduce((a, b) => a + b, 0), 5);
      }
    }
    own.dispose();
  },
);

it('probabilities of large logits are numbers, by either loss', () => {
  const logits = Float32Array.of(9, 9, 9, 1000, 998, -3, -500, -499, -501); // one position of prefix, two tokens
  const sizes = { seq_len: 2, vocab_size: 3 };
  const prediction = Int32Array.of(0, 1);
  const of = (loss_type: ModelConfig['loss_type']) => [
    ...confidenceOf(logits, prediction, { ...sizes, loss_type }),
  ];
  const [a, b] = of('softmax_cross_entropy');
  expect(a).toBeCloseTo(1 / (1 + Math.exp(-2)), 7);
  expect(b).toBeCloseTo(1 / (1 + Math.exp(-1) + Math.exp(-2)), 7);
  const [c, d] = of('stablemax_cross_entropy');
  expect(c).toBeCloseTo(1001 / (1001 + 999 + 1 / 4), 7);
  expect(d).toBeCloseTo(1 / 500 / (1 / 501 + 1 / 500 + 1 / 502), 7);
});

it('makes batches of grids, and observes them as any other', async () => {
  const digits = [0, 4].map((row) =>
    Array.from({ length: 4 }, (_, r) =>
      Array.from({ length: 4 }, (_, c) => Math.max(0, puzzles.inputs[row * S + 4 * r + c] - 1)),
    ),
  );
  const batch = batchOf(config, 'sudoku', digits);
  expect(batch.rows).toBe(2);
  expect([...batch.inputs]).toEqual(digits.flat(2).map((digit) => digit + 1));
  expect(batch.labels.every((label) => label === -100)).toBe(true);
  const [{ prediction }] = await observed(1, batch);
  expect(prediction).toHaveLength(2 * S);
  expect(batchOf({ ...config, num_puzzle_identifiers: 3 }, 'sudoku', digits, 2).puzzleIdentifiers).toEqual(
    Int32Array.of(2, 2),
  );
  expect(() => batchOf(config, 'sudoku', digits, 1)).toThrow(/puzzleIdentifier is 1, expected .* 0 to 0/);
  expect(() => batchOf(config, 'sudoku', [])).toThrow(/no grid/);
  expect(() => batchOf(config, 'sudoku', [digits[0], [[5]]])).toThrow(/^grid 1 has 1 rows of 1 cells/);
});

it('residuals are the distances between the states of a module, from its first vector on', async () => {
  const segments = 2;
  const residuals = await measureResiduals(model, puzzles, { segments });
  expect(residuals.filter(({ level }) => level === 'L').map(({ step }) => step)).toEqual(
    Array.from({ length: 12 }, (_, i) => i + 1),
  );
  expect(residuals.filter(({ level }) => level === 'H').map(({ step }) => step)).toEqual([
    2, 4, 6, 8, 10, 12,
  ]);
  const found = (await observed(segments)).flatMap(({ steps }) => steps);
  for (const level of ['H', 'L'] as const) {
    const init = await model.weight(`${level}_init`).readF32();
    const states = found.filter((step) => step.level === level).map(({ state }) => state);
    residuals
      .filter((one) => one.level === level)
      .forEach(({ mean, lowerQuartile, upperQuartile }, i) => {
        const row = states[0].length / ROWS;
        const norms = Array.from({ length: ROWS }, (_, puzzle) => {
          let squares = 0;
          for (let at = puzzle * row; at < (puzzle + 1) * row; at++) {
            squares += (states[i][at] - (i === 0 ? init[at % 32] : states[i - 1][at])) ** 2;
          }
          return Math.sqrt(squares);
        });
        const sorted = [...norms].sort((a, b) => a - b);
        expect(mean).toBeCloseTo(norms.reduce((sum, norm) => sum + norm, 0) / ROWS, 10);
        // Quartiles of twelve: a quarter, three quarters of the way from the third to the fourth value, and so on.
        expect(lowerQuartile).toBeCloseTo(sorted[2] + 0.75 * (sorted[3] - sorted[2]), 10);
        expect(upperQuartile).toBeCloseTo(sorted[8] + 0.25 * (sorted[9] - sorted[8]), 10);
      });
  }
});

it('participation takes the states after every H step, position by position, and whole ones after a segment', async () => {
  const segments = 2;
  const found = await measureParticipation(model, puzzles, { segments });
  expect(found.map(({ rows, puzzles: number, count }) => [rows, number, count])).toEqual([
    ['positions', 10, 10 * segments * 3 * 17],
    ['positions', 12, 12 * segments * 3 * 17],
    ['grids', 10, 20],
    ['grids', 12, 24],
  ]);
  const runs = await observed(segments, rowsOf(puzzles, 0, 10));
  const sums = { H: new CovarianceSums(32), L: new CovarianceSums(32) };
  const whole = { H: new CovarianceSums(17 * 32), L: new CovarianceSums(17 * 32) };
  for (const { steps } of runs) {
    for (const at of [2, 5, 8]) {
      sums.H.add(steps[at].state);
      sums.L.add(steps[at - 1].state);
    }
    whole.H.add(steps[8].state);
    whole.L.add(steps[7].state);
  }
  for (const level of ['H', 'L'] as const) {
    // Batches of other sizes give the same bits; what is left is float64 rounding.
    expect(found[0][level]).toBeCloseTo(participationRatio(sums[level].covariance()), 8);
    expect(found[2][level]).toBeCloseTo(participationRatio(whole[level].covariance()), 8);
  }
});

it('trajectories and answers tell of one puzzle what it does beside others', async () => {
  const segments = 3;
  const chosen = rowsOf(puzzles, 4, 6);
  const [first, second] = await measureTrajectories(model, chosen, { segments });
  expect([first.row, second.row]).toEqual([0, 1]);
  expect(first.H.coordinates).toHaveLength(9);
  expect(first.L.coordinates).toHaveLength(18);
  const runs = await observed(segments);
  expect(first.segments.map(({ qHalt, qContinue }) => [qHalt, qContinue])).toEqual(
    runs.map(({ q }) => [q[8], q[9]]),
  );
  const right = (run: ObservedSegment) =>
    run.prediction.subarray(4 * S, 5 * S).filter((token, i) => token === puzzles.labels[4 * S + i]).length;
  expect(first.segments.map(({ accuracy }) => accuracy)).toEqual(runs.map((run) => right(run) / S));
  const answers = await measureAnswers(model, chosen, { segments });
  expect(answers[1].input).toEqual(puzzles.inputs.slice(5 * S, 6 * S));
  expect(answers[1].answers).toEqual(
    runs.flatMap(({ steps }) => steps.flatMap(({ answer }) => (answer ? [answer.slice(5 * S, 6 * S)] : []))),
  );
});
