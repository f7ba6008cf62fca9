import { type Device, openDevice, Tensor, UserError } from '@hrm-webgpu/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_ARCH, DEFAULT_TRAIN, type ModelConfig } from '../../src/model/config.ts';
import { Inference } from '../../src/model/inference.ts';
import { initializeModel } from '../../src/model/init.ts';
import { averageOf } from '../../src/training/average-of.ts';
import { checkMemory, estimateMemory, evaluationRows } from '../../src/training/memory.ts';
import { freshCarries, MicroBatches } from '../../src/training/micro-batches.ts';
import { Optimizers } from '../../src/training/optimizers.ts';

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());

const config: ModelConfig = {
  ...DEFAULT_ARCH,
  hidden_size: 128,
  num_heads: 4,
  H_layers: 2,
  L_layers: 2,
  puzzle_emb_ndim: 128,
  halt_max_steps: 4,
  vocab_size: 6,
  seq_len: 16,
  num_puzzle_identifiers: 1,
};
/** What a run has allocated when its step is recorded. */
async function allocated(config: ModelConfig, batch: number, rows: number, ema = false): Promise<number> {
  const train = { ...DEFAULT_TRAIN, global_batch_size: batch, ema };
  device.trim();
  const model = await initializeModel(device, config, 0);
  const optimizers = new Optimizers(model, train);
  const average = await averageOf(model, train);
  const parts = new MicroBatches(model, freshCarries(model, batch, rows));
  const call = Tensor.empty(device, [1], 'u32');
  const plan = device.record(() => {
    const { gradients, puzzle } = parts.gradients(call, train);
    optimizers.step(gradients, puzzle);
    average?.update();
  });
  const bytes = device.memory.liveBytes;
  for (const owner of [plan, parts, optimizers, average, model, call]) owner?.dispose();
  return bytes;
}

describe('the estimate of memory', () => {
  it.each<[string, Partial<ModelConfig>, number, number]>([
    ['a batch', {}, 48, 48],
    ['a large batch', {}, 96, 96],
    ['a small batch', {}, 6, 6],
    ['parts', {}, 96, 24],
    ['small parts', {}, 24, 4],
    ['one row at a time', {}, 12, 1],
    ['another depth', { H_layers: 4, L_layers: 1 }, 48, 48],
    ['a wider model', { hidden_size: 256, puzzle_emb_ndim: 256 }, 48, 48],
    ['a narrow SwiGLU', { expansion: 1 }, 48, 48],
    ['no second segment', { halt_max_steps: 1 }, 48, 48],
    ['no q_continue', { no_continue: true }, 48, 48],
    ['two cycles differentiated', { gradient_cycles: 2 }, 48, 48],
    ['one cycle differentiated', { gradient_cycles: 1, L_cycles: 3 }, 24, 24],
    ['a transformer', { model: 'transformer', halt_max_steps: 1 }, 48, 48],
    ['learned positions, no puzzle embedding', { pos_encodings: 'learned', puzzle_emb_ndim: 0 }, 48, 48],
  ])('is within a tenth of what is allocated: %s', async (_, change, batch, rows) => {
    const model = { ...config, ...change };
    const { total } = estimateMemory(model, { batch, rows, evaluated: 0 });
    const ratio = total / (await allocated(model, batch, rows));
    // Measured: 3.4 % at most.
    expect(Math.abs(ratio - 1)).toBeLessThan(0.1);
  });
});

it('the estimate of a run with an average of its weights is within a tenth', async () => {
  const wider = { ...config, hidden_size: 256, puzzle_emb_ndim: 256 };
  const { total } = estimateMemory(wider, { batch: 6, rows: 6, evaluated: 0, ema: true });
  expect(Math.abs(total / (await allocated(wider, 6, 6, true)) - 1)).toBeLessThan(0.1);
});

it.each<[string, Partial<ModelConfig>]>([
  ['small', {}],
  ['wider', { hidden_size: 256, puzzle_emb_ndim: 256 }],
  ['with a narrow SwiGLU', { expansion: 1 }],
])('the estimate of an evaluation is within a tenth, too: %s', async (_, change) => {
  const model = await initializeModel(device, { ...config, ...change }, 0);
  model.localPuzzleRows(40); // which training has made before
  device.trim();
  const before = device.memory.liveBytes;
  const inference = new Inference(model, 40);
  const bytes = device.memory.liveBytes - before;
  inference.dispose();
  model.dispose();
  const { evaluation } = estimateMemory(model.config, { batch: 8, rows: 8, evaluated: 40 });
  expect(Math.abs(evaluation / bytes - 1)).toBeLessThan(0.1);
});

describe('what does not fit', () => {
  const gigabyte = { maxBufferSize: 2 ** 30, maxStorageBufferBindingSize: 2 ** 30 };
  const full: ModelConfig = { ...DEFAULT_ARCH, vocab_size: 11, seq_len: 81, num_puzzle_identifiers: 1 };
  const use = (batch: number, rows = batch) => ({ batch, rows, evaluated: 128 });

  it('is refused with the most that does, by the binding of the largest activation', () => {
    // [768, 82, 3072] floats are 773.8 MB: they fit a binding of a gigabyte, not one of 128 MiB.
    expect(checkMemory(full, use(768), gigabyte).largest.bytes).toBe(4 * 768 * 82 * 3072);
    const small = { ...gigabyte, maxStorageBufferBindingSize: 2 ** 27 };
    const message =
      /batch of 768 does not fit: the SwiGLU's gate and up \[768, 82, 3072\] would take 773\.8 MB.*134\.2 MB \(maxStorageBufferBindingSize\).*--micro-batch 128/;
    expect(() => checkMemory(full, use(768), small)).toThrow(UserError);
    expect(() => checkMemory(full, use(768), small)).toThrow(message);
    expect(checkMemory(full, use(768, 128), small).largest.bytes).toBeLessThan(2 ** 27);
    expect(() => checkMemory(full, use(768, 192), small)).toThrow(/a micro-batch of 192 does not fit/);
  });

  it('is refused by memory, where that is known', () => {
    const memory = 4e9;
    expect(() => checkMemory(full, use(768), { ...gigabyte, memory })).toThrow(
      /would take about \d+\.\d MB, and 4000\.0 MB of memory are free.*--micro-batch \d+/,
    );
    const { total } = checkMemory(full, use(768, 8), { ...gigabyte, memory });
    expect(total).toBeLessThan(memory);
  });

  it('is refused without advice where nothing helps', () => {
    const tiny = { ...gigabyte, maxStorageBufferBindingSize: 2 ** 22 };
    expect(() => checkMemory(full, use(768, 1), tiny)).toThrow(
      /micro-batch of 1 does not fit: H_level\.layers\.0\.mlp\.gate_up_proj\.weight \[3072, 512\].*Not even one row/,
    );
    expect(() => checkMemory(full, use(768), tiny)).toThrow(/Not even one row/);
  });

  it('leaves an evaluation as many rows as fit, at most 128', () => {
    expect(evaluationRows(full, gigabyte)).toBe(128);
    expect(evaluationRows(full, { ...gigabyte, maxStorageBufferBindingSize: 2 ** 25 })).toBe(33);
  });
});
