/** Puzzle rows in several shards: the same bits as in one. */
import { type Device, openDevice } from '@hrm-webgpu/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bytesSource } from '../../src/formats/files/byte-source.ts';
import { openTensorFile } from '../../src/formats/open-checkpoint.ts';
import { noExploration, trainingCall } from '../../src/model/act.ts';
import { Carry, uploadBatch } from '../../src/model/carry.ts';
import { DEFAULT_ARCH, DEFAULT_TRAIN, type ModelConfig } from '../../src/model/config.ts';
import { loadModel } from '../../src/model/load.ts';
import { HrmModel } from '../../src/model/model.ts';
import { parameterShapes } from '../../src/model/parameters.ts';
import { ruleWeight } from '../../src/parity/rule-weights.ts';
import { HRM } from '../../src/solving/hrm.ts';
import { encodeModel } from '../../src/training/checkpoint.ts';
import { Optimizers } from '../../src/training/optimizers.ts';
import { userError } from '../formats/fixtures.ts';

const IDENTIFIERS = 10;
const WIDTH = 40; // two positions of 32: rows are padded

const config: ModelConfig = {
  ...DEFAULT_ARCH,
  ...{ hidden_size: 32, num_heads: 2, H_layers: 1, L_layers: 1, halt_max_steps: 3, puzzle_emb_ndim: WIDTH },
  ...{ vocab_size: 7, seq_len: 6, num_puzzle_identifiers: IDENTIFIERS },
};

/** Shards of 3 rows (with bytes to spare), the last of 1; of one row each; and everything in one. */
const LAYOUTS: [shardBytes: number, shards: number][] = [
  [4 * WIDTH * 3 + 100, 4],
  [4 * WIDTH, 10],
  [4 * WIDTH * IDENTIFIERS, 1],
];

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => {
  expect(device.tensors.size).toBe(0);
  device.close();
});

/** Puzzle rows in pieces that end in the middle of rows and shards. */
async function* pieces(name: string, shape: readonly number[]) {
  const values = ruleWeight(name, shape);
  for (let at = 0; at < values.length; at += 77) yield values.slice(at, at + 77);
}

const build = (shardBytes?: number) => HrmModel.load(device, config, pieces, { shardBytes });

/** Identifiers of every shard, equal ones, the first and the last. */
const IDS = Int32Array.of(0, 9, 4, 3, 4, 2, 8, 9);
const BATCH = IDS.length;
const batch = {
  inputs: Int32Array.from({ length: BATCH * 6 }, (_, i) => (i * 5) % 7),
  labels: Int32Array.from({ length: BATCH * 6 }, (_, i) => (i * 3) % 7),
  puzzleIdentifiers: IDS,
  rows: BATCH,
};

/** The file that a model is saved as. */
async function saved(model: HrmModel) {
  const parts = await encodeModel(model);
  return new Uint8Array(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}

/** Three training steps; what the model is then, as a file. */
async function trained(shardBytes?: number): Promise<Uint8Array> {
  const model = await build(shardBytes);
  const optimizers = new Optimizers(model, { ...DEFAULT_TRAIN, puzzle_emb_lr: 0.05 });
  const carry = Carry.fresh(model, BATCH);
  const incoming = uploadBatch(model, batch);
  const exploration = noExploration(carry);
  const plan = device.record(() => {
    const call = trainingCall(carry, incoming, exploration, BATCH);
    optimizers.step(call.gradients, call.puzzle);
  });
  for (let step = 0; step < 3; step++) {
    optimizers.begin({ lr: 1e-3, puzzle_emb_lr: 0.05 });
    plan.replay();
  }
  const bytes = await saved(model);
  plan.dispose();
  for (const tensor of [...Object.values(incoming), ...Object.values(exploration)]) tensor.dispose();
  carry.dispose();
  optimizers.dispose();
  model.dispose();
  return bytes;
}

describe.each(LAYOUTS)('shards of at most %i bytes', (shardBytes, count) => {
  it('hold the table, in order', async () => {
    const model = await build(shardBytes);
    expect(model.puzzleShards).toHaveLength(count);
    for (const { rows } of model.puzzleShards) expect(rows.bytes).toBeLessThanOrEqual(shardBytes);
    expect(model.puzzleShards.at(-1)?.rows.shape[0]).toBe(count === 4 ? 1 : IDENTIFIERS / count);
    const file = await openTensorFile(bytesSource(await saved(model), 'saved'));
    for (const [name, shape] of parameterShapes(config)) {
      expect(await file.readF32(name), name).toEqual(ruleWeight(name, shape));
    }
    model.dispose();
  });

  it('evaluate to the same bits', async () => {
    const answers = async (bytes?: number) => {
      const model = await build(bytes);
      const solver = HRM.of(model);
      const grid = Int32Array.of(1, 2, 3, 4, 5, 6);
      const found: unknown[] = [];
      for (const puzzleIdentifier of [0, 2, 3, 9]) {
        const { tokens, qHalt, qContinue } = await solver.solve(grid, { puzzleIdentifier, halt: false });
        found.push([...tokens], qHalt, qContinue);
      }
      solver.dispose();
      model.dispose();
      return found;
    };
    const whole = await answers();
    expect(await answers(shardBytes)).toEqual(whole);
    expect(new Set(whole.filter(Number.isFinite)).size).toBe(8); // every row has an effect of its own
  });

  it('train to the same bits', async () => {
    const whole = await trained();
    expect(Buffer.from(await trained(shardBytes)).equals(Buffer.from(whole))).toBe(true);
    // The rows of the batch have moved and no others.
    const file = await openTensorFile(bytesSource(whole, 'trained'));
    const rows = await file.readF32('puzzle_emb.weights');
    const before = ruleWeight('puzzle_emb.weights', [IDENTIFIERS, WIDTH]);
    for (let id = 0; id < IDENTIFIERS; id++) {
      const row = (values: Float32Array) => [...values.subarray(id * WIDTH, (id + 1) * WIDTH)];
      expect(row(rows).some((value, i) => value !== row(before)[i])).toBe(IDS.includes(id));
    }
  });

  it('are read from a checkpoint, whatever the shards were that it was made from', async () => {
    const model = await build(4 * WIDTH * 7);
    const bytes = await saved(model);
    model.dispose();
    const again = await loadModel(device, config, await openTensorFile(bytesSource(bytes, 'saved')), {
      shardBytes,
    });
    expect(again.puzzleShards).toHaveLength(count);
    expect(Buffer.from(await saved(again)).equals(Buffer.from(bytes))).toBe(true);
    again.dispose();
  });
});

describe('what does not fit is refused', () => {
  it('a row larger than a shard', async () => {
    const { message } = await userError(() => build(4 * WIDTH - 1));
    expect(message).toMatch(/a puzzle row of 40 numbers does not fit 159 bytes/);
  });

  it.each([-1, 1])('a table of %i rows more', async (more) => {
    const weight = (name: string, shape: readonly number[]) =>
      name === 'puzzle_emb.weights'
        ? new Float32Array((IDENTIFIERS + more) * WIDTH)
        : ruleWeight(name, shape);
    const shardBytes = 4 * WIDTH * 3;
    const { message } = await userError(() => HrmModel.load(device, config, weight, { shardBytes }));
    expect(message).toMatch(/hold 400 elements in 4 shards, got (360|440)/);
  });
});
