import { type Device, openDevice, UserError } from '@hrm-webgpu/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadModelFile } from '../../src/checkpoints/model-file.node.ts';
import type { DatasetSet, Split } from '../../src/data/dataset/dataset.ts';
import { testBatches } from '../../src/data/dataset/sampler.ts';
import { tokenRows } from '../../src/data/dataset/token-rows.ts';
import { type Answer, answers } from '../../src/evaluation/answers.ts';
import { type EvaluateOptions, evaluate } from '../../src/evaluation/evaluate.ts';
import { meanInterval, wilsonInterval } from '../../src/evaluation/intervals.ts';
import { fileSource } from '../../src/formats/files/file-source.node.ts';
import { openTensorFile } from '../../src/formats/open-checkpoint.ts';
import { DEFAULT_ARCH } from '../../src/model/config.ts';
import { initializeModel } from '../../src/model/init.ts';
import type { HrmModel } from '../../src/model/model.ts';

const fixture = new URL('../../../../test/fixtures/trained-6x6', import.meta.url).pathname;
const CELLS = 36;

/** The first `count` puzzles of the fixture, and what the published code made of them after each segment. */
async function readFixture(count: number) {
  const file = await openTensorFile(await fileSource(`${fixture}/predictions.safetensors`));
  const read = async (name: string, columns = CELLS) =>
    Int32Array.from((await file.readF32(name)).subarray(0, count * columns));
  const set: DatasetSet = {
    inputs: tokenRows(await read('inputs'), CELLS),
    labels: tokenRows(await read('labels'), CELLS),
    puzzleIdentifiers: new Int32Array(count),
    puzzleIndices: Int32Array.from({ length: count + 1 }, (_, i) => i),
    groupIndices: Int32Array.from({ length: count + 1 }, (_, i) => i),
  };
  const segments = await Promise.all(
    [0, 1, 2, 3].map(async (i) => ({
      prediction: await read(`pred.${i}`),
      q: (await file.readF32(`q.${i}`)).subarray(0, 2 * count),
    })),
  );
  await file.close();
  const metadata = {
    ...{ pad_id: 0, ignore_label_id: 0, blank_identifier_id: 0, vocab_size: 8, seq_len: CELLS },
    ...{ num_puzzle_identifiers: 1, total_groups: count, mean_puzzle_examples: 1, sets: ['all'] },
  };
  return { split: { metadata, sets: new Map([['all', set]]) } as Split, segments };
}

let device: Device;
let model: HrmModel;
let data: Awaited<ReturnType<typeof readFixture>>;
const COUNT = 9;
beforeAll(async () => {
  device = await openDevice();
  model = await loadModelFile(device, fixture, CELLS);
  data = await readFixture(COUNT);
});
afterAll(() => device.close());

/** Everything that a function of answers can see, one line an example. */
async function allAnswers(options: Omit<EvaluateOptions, 'onAnswer'>): Promise<Answer[]> {
  const found: Answer[] = [];
  for await (const ready of answers(model, testBatches(data.split, 1), options)) found.push(...ready);
  return found;
}

const labelOf = (i: number) => data.split.sets.get('all')!.labels.read(i);
const isExact = (prediction: Int32Array, i: number) =>
  prediction.subarray(i * CELLS, (i + 1) * CELLS).every((token, cell) => token === labelOf(i)[cell]);
const indices = Array.from({ length: COUNT }, (_, i) => i);

describe('evaluate', () => {
  it('gives the published answers after a fixed number of segments', async () => {
    const found = await allAnswers({ batchSize: 4 });
    expect(found).toHaveLength(COUNT);
    for (const [i, { prediction, qHalt, qContinue, steps, labels, correct }] of found.entries()) {
      const { q, prediction: reference } = data.segments[3];
      expect(prediction).toEqual(reference.slice(i * CELLS, (i + 1) * CELLS));
      // f32 against f32 in another order of summation over four segments; measured below 1e-4.
      expect(Math.abs(qHalt - q[2 * i])).toBeLessThan(1e-3);
      expect(Math.abs(qContinue - q[2 * i + 1])).toBeLessThan(1e-3);
      expect({ steps, labels }).toEqual({ steps: 4, labels: CELLS });
      expect(correct).toHaveLength(1);
    }
  });

  it('adds answers up, after every segment where it is asked to', async () => {
    const { per_segment, ...result } = await evaluate(model, data.split, {
      batchSize: COUNT,
      perSegment: true,
    });
    const exact = data.segments.map(({ prediction }) => indices.filter((i) => isExact(prediction, i)).length);
    expect(new Set(exact).size).toBeGreaterThan(1);
    expect(per_segment?.map((segment) => segment.exact)).toEqual(exact);
    expect(result).toMatchObject({ count: COUNT, steps: 4, exact: exact[3] });
    expect(result.exact_accuracy).toBe(exact[3] / COUNT);
    expect(result.intervals.exact_accuracy).toEqual(wilsonInterval(exact[3] / COUNT, COUNT));
    expect(result.intervals.steps).toEqual([4, 4]);
    expect(per_segment?.[3].accuracy).toBe(result.accuracy);
    const right = indices.filter(
      (i) => data.segments[3].q[2 * i] >= 0 === isExact(data.segments[3].prediction, i),
    );
    expect(result.q_halt_accuracy).toBe(right.length / COUNT);
    const bce = indices.map((i) => {
      const q = data.segments[3].q[2 * i];
      return Math.log1p(Math.exp(isExact(data.segments[3].prediction, i) ? -q : q));
    });
    expect(result.q_halt_loss).toBeCloseTo(bce.reduce((a, b) => a + b) / COUNT, 3);
    expect(result.loss).toBeCloseTo(result.lm_loss + 0.5 * result.q_halt_loss, 12);
    const fewer = await evaluate(model, data.split, { batchSize: COUNT, maxSteps: 2 });
    expect(fewer).toMatchObject({ exact: exact[1], steps: 2 });
    expect(fewer.per_segment).toBeUndefined();
  });

  it('halts where q says so, and thinks no longer', async () => {
    const found = await allAnswers({ batchSize: 7, haltEarly: true });
    const halts = indices.map((i) => {
      const first = data.segments.findIndex(({ q }) => q[2 * i] > q[2 * i + 1]);
      return first < 0 ? 4 : first + 1;
    });
    expect(found.map(({ steps }) => steps)).toEqual(halts);
    expect(new Set(halts).size).toBeGreaterThan(1);
    for (const [i, { prediction, correct }] of found.entries()) {
      const reference = data.segments[halts[i] - 1].prediction;
      expect(prediction).toEqual(reference.slice(i * CELLS, (i + 1) * CELLS));
      expect(correct).toHaveLength(halts[i]);
    }
  });

  it.each([
    ['with fixed segments', { maxSteps: 2 }],
    ['with early halting beyond what was trained', { haltEarly: true, maxSteps: 6 }],
  ])('does not depend on the batch size %s', async (_, options) => {
    const ofOne = await allAnswers({ ...options, batchSize: 1 });
    expect(Math.max(...ofOne.map(({ steps }) => steps))).toBeLessThanOrEqual(options.maxSteps);
    for (const batchSize of [3, 7]) {
      const found = await allAnswers({ ...options, batchSize });
      expect(found.map(withoutLogits)).toEqual(ofOne.map(withoutLogits));
      // Kernels may share out their work otherwise for other sizes, but not sum in another order.
      expect(found.map(({ qHalt }) => qHalt)).toEqual(ofOne.map(({ qHalt }) => qHalt));
    }
  });

  it('goes on beyond what was trained', async () => {
    const { per_segment = [], ...result } = await evaluate(model, data.split, {
      ...{ batchSize: COUNT, maxSteps: 6, perSegment: true },
    });
    expect(result.steps).toBe(6);
    expect(per_segment.map(({ segment }) => segment)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(per_segment[5].exact).toBe(result.exact);
    // A trained model does not forget what it has found.
    expect(result.exact).toBeGreaterThanOrEqual(per_segment[3].exact - 1);
  });

  it('draws the same sample for the same seed', async () => {
    const drawn = async (size: number, seed: number) => {
      const inputs: string[] = [];
      const onAnswer = ({ input }: Answer) => inputs.push(input.join(''));
      await evaluate(model, data.split, { batchSize: 8, maxSteps: 1, sample: { size, seed }, onAnswer });
      return inputs;
    };
    const first = await drawn(5, 1);
    expect(new Set(first).size).toBe(5);
    expect(await drawn(5, 1)).toEqual(first);
    expect(await drawn(5, 2)).not.toEqual(first);
    expect(await drawn(99, 1)).toHaveLength(COUNT);
  });

  it('stops when it is told to, reports how far it is, and leaves nothing behind', async () => {
    const { tensors } = device;
    const before = tensors.size;
    const controller = new AbortController();
    const progress: number[] = [];
    const onProgress = (done: number, total: number) => {
      progress.push(done);
      expect(total).toBe(COUNT);
      if (done >= 8) controller.abort();
    };
    const { signal } = controller;
    const run = evaluate(model, data.split, { batchSize: 4, maxSteps: 1, signal, onProgress });
    // The reason itself: this is how the command tells Ctrl-C from a failure.
    const error = await run.catch((thrown) => thrown);
    expect(error).toBe(signal.reason);
    expect(progress).toEqual([4, 8]);
    expect(tensors.size).toBe(before);
  });

  it('leaves examples without labels out', async () => {
    const set = data.split.sets.get('all')!;
    const labels = tokenRows(
      set.labels
        .read(0, COUNT)
        .slice()
        .fill(0, 0, 3 * CELLS),
      CELLS,
    );
    const split = { ...data.split, sets: new Map([['all', { ...set, labels }]]) };
    const options = { batchSize: COUNT, maxSteps: 1 };
    const [all, some] = [await evaluate(model, data.split, options), await evaluate(model, split, options)];
    const lost = indices.slice(0, 3).filter((i) => isExact(data.segments[0].prediction, i)).length;
    expect(some).toMatchObject({ count: COUNT - 3, exact: all.exact - lost, steps: 1 });
  });

  it('refuses what cannot be evaluated', async () => {
    const nothing = tokenRows(new Int32Array(0), CELLS);
    const none: DatasetSet = {
      ...{ inputs: nothing, labels: nothing, puzzleIdentifiers: new Int32Array(0) },
      ...{ puzzleIndices: Int32Array.of(0), groupIndices: Int32Array.of(0) },
    };
    const empty = { ...data.split, sets: new Map([['all', none]]) };
    await expect(evaluate(model, empty, { batchSize: 2 })).rejects.toThrow(UserError);
    const config = { ...DEFAULT_ARCH, hidden_size: 32, num_heads: 2, H_layers: 1, L_layers: 1 };
    const sizes = { vocab_size: 8, seq_len: CELLS, num_puzzle_identifiers: 1, puzzle_emb_ndim: 32 };
    const broken = await initializeModel(device, { ...config, ...sizes, halt_max_steps: 1 }, 0);
    const head = broken.weight('lm_head.weight');
    head.write(new Float32Array(head.size).fill(Number.NaN));
    broken.weightsChanged();
    await expect(evaluate(broken, data.split, { batchSize: 8 })).rejects.toThrow(/loss is NaN.*not usable/);
    broken.dispose();
  });
});

function withoutLogits({ qHalt: _h, qContinue: _c, lmLoss: _l, ...answer }: Answer) {
  return answer;
}

describe('intervals', () => {
  it('are those of Wilson', () => {
    // From Python, in double precision.
    const cases: [number, number, number, number][] = [
      [0, 10, 0, 0.2775328],
      [5, 10, 0.2365931, 0.7634069],
      [251, 256, 0.9551019, 0.9916293],
      [10, 10, 0.7224672, 1],
    ];
    for (const [successes, count, low, high] of cases) {
      const [lower, upper] = wilsonInterval(successes / count, count);
      expect(lower).toBeCloseTo(low, 6);
      expect(upper).toBeCloseTo(high, 6);
    }
    expect(wilsonInterval(0, 0)).toEqual([0, 1]);
  });

  it('of means are normal', () => {
    // 1, 2, 3, 4: mean 2.5, standard deviation √(5/3), 1.959964·√(5/12) = 1.2651513.
    const [low, high] = meanInterval(10, 30, 4) ?? [];
    expect(low).toBeCloseTo(2.5 - 1.2651513, 6);
    expect(high).toBeCloseTo(2.5 + 1.2651513, 6);
    expect(meanInterval(3, 9, 1)).toBeUndefined();
    // Rounding must not make the variance negative.
    expect(meanInterval(0.3, 0.03, 3)?.every(Number.isFinite)).toBe(true);
  });
});
