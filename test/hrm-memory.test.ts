/** What a training call costs in GPU memory, and that it gives it back. */
import { type Device, openDevice } from '@hrm-webgpu/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noExploration, trainingCall } from '../packages/hrm/src/model/act.ts';
import { Carry, uploadBatch } from '../packages/hrm/src/model/carry.ts';
import { DEFAULT_ARCH, type ModelConfig } from '../packages/hrm/src/model/config.ts';
import { initializeModel } from '../packages/hrm/src/model/init.ts';

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());

const BATCH = 3;
const config: ModelConfig = {
  ...DEFAULT_ARCH,
  hidden_size: 32,
  num_heads: 2,
  H_layers: 2,
  L_layers: 2,
  puzzle_emb_ndim: 32,
  vocab_size: 7,
  seq_len: 6,
  num_puzzle_identifiers: 3,
};

/** A model and a function that makes one training call and keeps nothing of it but the carry. */
async function prepare(change: Partial<ModelConfig>) {
  const model = await initializeModel(device, { ...config, ...change }, 1);
  const carry = Carry.fresh(model, BATCH);
  const call = () =>
    device.scope(() => {
      const batch = uploadBatch(model, {
        inputs: new Int32Array(BATCH * config.seq_len).fill(2),
        labels: new Int32Array(BATCH * config.seq_len).fill(3),
        puzzleIdentifiers: Int32Array.of(0, 1, 2),
        rows: BATCH,
      });
      trainingCall(carry, batch, noExploration(carry), BATCH);
    });
  const dispose = () => {
    carry.dispose();
    model.dispose();
  };
  return { call, dispose };
}

/** Peak bytes on the GPU of one training call, all buffers counted. */
async function peakOf(change: Partial<ModelConfig>): Promise<number> {
  const { call, dispose } = await prepare(change);
  call(); // makes what all calls share: transposed weights, the stand-in for puzzle rows
  device.resetPeakMemory();
  const { totalBytes } = device.memory;
  call();
  const { peakBytes } = device.memory;
  await device.stream.finish();
  dispose();
  expect(peakBytes).toBeGreaterThan(totalBytes);
  return peakBytes;
}

describe('peak memory of a training call', () => {
  it.each([
    ['2 + 2 layers, rope', {}],
    ['1 + 1 layers, learned positions', { H_layers: 1, L_layers: 1, pos_encodings: 'learned' as const }],
    ['1 + 3 layers, no puzzle embedding', { H_layers: 1, L_layers: 3, puzzle_emb_ndim: 0 }],
    ['3 + 1 layers, no second segment', { H_layers: 3, L_layers: 1, halt_max_steps: 1 }],
  ])('does not depend on the number of cycles: %s', async (_, change) => {
    const few = await peakOf({ ...change, H_cycles: 1, L_cycles: 1 });
    for (const [H_cycles, L_cycles] of [
      [6, 6],
      [1, 6],
      [6, 1],
    ]) {
      expect(await peakOf({ ...change, H_cycles, L_cycles }), `${H_cycles}×${L_cycles}`).toBe(few);
    }
  });

  it('does not depend on the number of cycles when it is recorded', async () => {
    const planned = async (cycles: number) => {
      const { call, dispose } = await prepare({ H_cycles: cycles, L_cycles: cycles });
      const before = device.memory.liveBytes;
      const plan = device.record(call);
      const bytes = device.memory.liveBytes - before;
      plan.dispose();
      dispose();
      return bytes;
    };
    const one = await planned(1);
    for (const cycles of [2, 8]) expect(await planned(cycles), `${cycles} × ${cycles}`).toBe(one);
  });

  it('does not depend on the number of segments', async () => {
    expect(await peakOf({ halt_max_steps: 16 })).toBe(await peakOf({ halt_max_steps: 2 }));
  });

  it('grows with what is differentiated', async () => {
    expect(await peakOf({ L_layers: 3 })).toBeGreaterThan(await peakOf({ L_layers: 2 }));
  });
});

it('training calls leave nothing behind', async () => {
  const { call, dispose } = await prepare({});
  call();
  const after = () => ({
    tensors: device.tensors.size,
    live: device.memory.liveBytes,
    ops: device.tape.length,
  });
  const first = after();
  const { buffers } = device.memory;
  expect(first.ops).toBe(0);
  for (let i = 0; i < 5; i++) call();
  expect(after()).toEqual(first);
  expect(device.memory.buffers).toBe(buffers); // not even for reuse
  dispose();
  expect(device.tensors.size).toBe(0);
});
