import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '@hrm-webgpu/core';
import { afterAll, describe, expect, it } from 'vitest';
import { configFrom } from '../../src/cli/train/train-config.ts';
import { totalSteps } from '../../src/data/dataset/sampler.ts';
import { DEFAULT_ARCH, DEFAULT_TRAIN } from '../../src/model/config.ts';
import { checkArch, checkTrain } from '../../src/model/config-checks.ts';
import { PRESETS, preset } from '../../src/training/presets.ts';

const folder = mkdtempSync(join(tmpdir(), 'hrm-presets-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** What the published commands say, over the published defaults. */
const PUBLISHED: Record<string, [arch: object, train: object]> = {
  'sudoku-extreme': [
    {},
    {
      epochs: 20000,
      eval_interval: 2000,
      lr: 1e-4,
      puzzle_emb_lr: 1e-4,
      weight_decay: 1,
      puzzle_emb_weight_decay: 1,
    },
  ],
  'sudoku-extreme-1gpu': [
    {},
    {
      epochs: 20000,
      eval_interval: 2000,
      global_batch_size: 384,
      lr: 7e-5,
      puzzle_emb_lr: 7e-5,
      weight_decay: 1,
      puzzle_emb_weight_decay: 1,
    },
  ],
  'sudoku-extreme-full': [
    { L_cycles: 8, halt_max_steps: 8, pos_encodings: 'learned', loss_type: 'softmax_cross_entropy' },
    {
      epochs: 100,
      eval_interval: 10,
      global_batch_size: 2304,
      lr: 3e-4,
      puzzle_emb_lr: 3e-4,
      lr_min_ratio: 0.1,
      weight_decay: 0.1,
      puzzle_emb_weight_decay: 0.1,
    },
  ],
  'maze-hard': [
    {},
    {
      epochs: 20000,
      eval_interval: 2000,
      lr: 1e-4,
      puzzle_emb_lr: 1e-4,
      weight_decay: 1,
      puzzle_emb_weight_decay: 1,
    },
  ],
  'arc-1': [{}, {}],
  'arc-2': [{}, {}],
};

describe('presets', () => {
  it.each(Object.entries(PUBLISHED))('%s has the published values', (name, [arch, train]) => {
    expect(preset(name)).toMatchObject({
      arch: { ...DEFAULT_ARCH, ...arch },
      train: { ...DEFAULT_TRAIN, ...train },
    });
  });

  it.each(Object.entries(PRESETS))('%s is sound', (name, { arch, train, data }) => {
    checkArch(arch, name);
    checkTrain(train, name);
    expect(train.epochs % train.eval_interval).toBe(0);
    expect(data).toMatch(/^hrm data \w+ .*--out DIR$/);
  });

  it('runs Sudoku-Extreme for the published number of steps', () => {
    const { epochs, global_batch_size } = PRESETS['sudoku-extreme'].train;
    const metadata = { total_groups: 1000, mean_puzzle_examples: 1 } as Parameters<typeof totalSteps>[0];
    expect(totalSteps(metadata, epochs, global_batch_size)).toBe(26041);
  });

  it('are refused by name', () => {
    expect(() => preset('sudoku')).toThrow(UserError);
    expect(() => preset('toString')).toThrow(/--preset toString: unknown. Presets: sudoku-extreme, /);
  });
});

describe('a configuration', () => {
  it('comes from the preset, then the file, then the settings', async () => {
    const config = join(folder, 'all_config.yaml');
    writeFileSync(
      config,
      'lr: 2e-4\nepochs: 40\neval_interval: 20\narch:\n  L_cycles: 3\n  loss:\n    name: x\n',
    );
    const result = await configFrom({
      preset: 'sudoku-extreme',
      config,
      set: ['epochs=60', 'arch.H_cycles=4'],
    });
    expect(result).toEqual({
      arch: { ...DEFAULT_ARCH, L_cycles: 3, H_cycles: 4 },
      train: { ...PRESETS['sudoku-extreme'].train, lr: 2e-4, eval_interval: 20, epochs: 60 },
    });
  });

  it('is the published defaults without a preset', async () => {
    expect(await configFrom({})).toEqual({ arch: DEFAULT_ARCH, train: DEFAULT_TRAIN });
    expect((await configFrom({ preset: 'arc-2', set: ['seed=3'] })).train).toEqual({
      ...DEFAULT_TRAIN,
      seed: 3,
    });
  });
});
