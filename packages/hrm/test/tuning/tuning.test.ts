import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Choice, type Device, openDevice, UserError } from '@hrm-webgpu/core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sudokuShape } from '../../src/data/sudoku/sudoku.ts';
import { buildSudokuSplits } from '../../src/data/sudoku/sudoku-dataset.ts';
import { bytesSource } from '../../src/formats/files/byte-source.ts';
import { openTensorFile } from '../../src/formats/open-checkpoint.ts';
import { DEFAULT_ARCH, DEFAULT_TRAIN } from '../../src/model/config.ts';
import { encodeTraining, loadTraining, readMetadata } from '../../src/training/checkpoint.ts';
import { Trainer } from '../../src/training/trainer.ts';
import { applyChoices, parseChoices, takeOver, tuningRecord } from '../../src/tuning/tuning.ts';
import { loadTuning, saveTuning, tuningPlace } from '../../src/tuning/tuning-store.node.ts';

const choices: Record<string, Choice> = {
  'matmul m=4 n=8 k=16 a_row=16 a_column=1': { kernel: 'matmul', settings: { ROWS: 4, GROUP: 8 } },
};

let device: Device;
let cache: string;
const before = process.env.XDG_CACHE_HOME;
beforeAll(async () => {
  device = await openDevice();
  cache = mkdtempSync(join(tmpdir(), 'hrm-tuning-'));
  process.env.XDG_CACHE_HOME = cache;
});
afterAll(() => {
  device.close();
  rmSync(cache, { recursive: true });
  if (before === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = before;
});
beforeEach(() => {
  device.tuning.clear();
});

describe('the store', () => {
  it('gives back what was kept, under adapter and driver', async () => {
    await loadTuning(device);
    expect(device.tuning.size).toBe(0);
    applyChoices(device, choices);
    await saveTuning(device);
    expect(tuningPlace(device).startsWith(cache)).toBe(true);
    expect(readFileSync(tuningPlace(device), 'utf8')).toContain(device.adapter.description);
    device.tuning.clear();
    await loadTuning(device);
    expect(Object.fromEntries(device.tuning)).toEqual(choices);
  });

  it.each([
    ['no JSON', '{', 'it is no JSON'],
    ['nothing', 'null', undefined],
    ['of another device', '{"identity":"x","choices":{}}', undefined],
  ])('%s', async (_, text, message) => {
    writeFileSync(tuningPlace(device), text);
    if (message) await expect(loadTuning(device)).rejects.toThrow(message);
    else await loadTuning(device);
    expect(device.tuning.size).toBe(0);
  });
});

it.each([
  ['a list', [], 'it holds no tuning record'],
  ['no settings', { a: { kernel: 'matmul' } }, "its entry 'a' is damaged"],
  ['text', { a: { kernel: 'matmul', settings: { ROWS: 'x' } } }, "its entry 'a' is damaged"],
])('refuses %s', (_, value, message) => {
  expect(() => parseChoices(value, 'file.json')).toThrow(UserError);
  expect(() => parseChoices(value, 'file.json')).toThrow(message);
});

describe('taken over from a checkpoint', () => {
  const own = () => ({ ...tuningRecord(device), choices });

  it('applies on the adapter that it is of', () => {
    expect(takeOver(device, own())).toBeUndefined();
    expect(Object.fromEntries(device.tuning)).toEqual(choices);
  });

  it.each([
    ['another adapter or driver', { adapter: 'llvmpipe (LLVM 3.1)' }, "'llvmpipe (LLVM 3.1)'"],
    ['another class', { class: 'gpu' as const }, '(gpu, '],
    ['other subgroups', { subgroupMinSize: 4 }, 'subgroups of 4)'],
  ])('is dropped on %s, and says so', (_, difference, text) => {
    const note = takeOver(device, { ...own(), ...difference });
    expect(device.tuning.size).toBe(0);
    expect(note).toContain(text);
    expect(note).toContain('its 1 tuned choice is left out, and its bits differ');
    expect(note).not.toContain('\n');
    expect(takeOver(device, { ...own(), ...difference, choices: {} })).toMatch(/\): its bits differ/);
  });

  it('says when it names a kernel of another version', () => {
    const unknown = { a: { kernel: 'constructor', settings: {} } };
    expect(takeOver(device, { ...own(), choices: unknown })).toBe(
      "note: this run used the kernel 'constructor', which this version does not have: its bits differ from here on",
    );
  });

  it('is left out on request', () => {
    const note = takeOver(device, own(), true);
    expect(note).toBe('note: its 1 tuned choice is left out, and the bits of this run differ from here on');
    expect(device.tuning.size).toBe(0);
    expect(takeOver(device, { ...own(), choices: {} }, true)).toBeUndefined();
  });
});

it('travels in checkpoints', async () => {
  const config = {
    ...DEFAULT_ARCH,
    hidden_size: 32,
    num_heads: 2,
    H_layers: 1,
    L_layers: 1,
    puzzle_emb_ndim: 0,
    vocab_size: 6,
    seq_len: 16,
    num_puzzle_identifiers: 1,
  };
  const train = { ...DEFAULT_TRAIN, global_batch_size: 4, epochs: 1, eval_interval: 1 };
  const shape = sudokuShape(4);
  const counts = { train: 8, validation: 1, test: 1 };
  const splits = buildSudokuSplits({ shape, minBlanks: 4, maxBlanks: 6, seed: 0, ...counts });
  applyChoices(device, choices);
  const trainer = await Trainer.start(device, { config, train, split: splits.train, totalSteps: 2 });
  const pieces = await encodeTraining(trainer, {});
  trainer.dispose();
  device.tuning.clear();
  const file = await openTensorFile(bytesSource(new Uint8Array(Buffer.concat(pieces)), 'memory'));
  const metadata = readMetadata(file);
  if (!metadata) throw new Error('no metadata');
  const { training, ...parts } = await loadTraining(device, file, metadata);
  expect(training.tuning.choices).toEqual(choices);
  parts.model.dispose();
  parts.optimizers.dispose();
});
