import { type Device, openDevice } from '@hrm-webgpu/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Batch } from '../../src/data/dataset/sampler.ts';
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
