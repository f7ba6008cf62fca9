import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '@hrm-webgpu/core';
import { afterAll, describe, expect, it } from 'vitest';
import { applySettings, configFrom } from '../../src/cli/train/train-config.ts';
import { parseYaml, stringifyYaml } from '../../src/formats/yaml/yaml.ts';
import { DEFAULT_ARCH, DEFAULT_TRAIN, puzzlePositions, swigluWidth } from '../../src/model/config.ts';
import { parameterShapes } from '../../src/model/parameters.ts';
import { formatAllConfig, parseAllConfig } from '../../src/model/parse-config.ts';

const folder = mkdtempSync(join(tmpdir(), 'hrm-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

const fixture = (name: string) =>
  new URL(`../../../../test/fixtures/${name}/all_config.yaml`, import.meta.url);

describe('all_config.yaml', () => {
  it('reads a published file', () => {
    const path = fixture('tiny-learned');
    const { arch, train } = parseAllConfig(
      parseYaml(readFileSync(path, 'utf8'), 'all_config.yaml'),
      'all_config.yaml',
    );
    expect(arch).toMatchObject({
      hidden_size: 32,
      pos_encodings: 'learned',
      loss_type: 'softmax_cross_entropy',
    });
    expect(train).toMatchObject({ global_batch_size: 4, lr: 0.001, lr_min_ratio: 0.1 });
  });

  it('comes back as it was written', () => {
    const all = { arch: { ...DEFAULT_ARCH, L_cycles: 8 }, train: { ...DEFAULT_TRAIN, lr: 3e-4 } };
    expect(parseAllConfig(parseYaml(stringifyYaml(formatAllConfig(all)), 'x'), 'x')).toEqual(all);
  });

  it.each([
    ['arch:\n  hiden_size: 3', /arch\.hiden_size is not a known configuration key.*hidden_size/s],
    ['lr: fast', /lr must be a number, got "fast"/],
    ['arch:\n  num_heads: 7', /arch\.num_heads must be a divisor of hidden_size \(512\)/],
    ['arch:\n  loss:\n    loss_type: hinge', /loss_type must be 'stablemax_cross_entropy' or/],
    ['eval_interval: often', /eval_interval must be a number, got "often"/],
    ['lr: null', /lr must be a number, got null/],
    ['beta1: 1', /beta1 must be at least 0 and below 1/],
    ['arch: 3', /arch must be a map/],
  ])('refuses %j', (text, message) => {
    const read = () => parseAllConfig(parseYaml(text, 'c.yaml'), 'c.yaml');
    expect(read).toThrow(UserError);
    expect(read).toThrow(message);
  });

  it.each([
    ['', 100000, 10000],
    ['epochs: 40', 40, 40],
    ['epochs: 40\neval_interval: null', 40, 40],
    ['epochs: 40\neval_interval: 8', 40, 8],
    ['eval_interval: null', 100000, 100000],
  ])('evaluates as published where it says %j', (text, epochs, eval_interval) => {
    const { train } = parseAllConfig(parseYaml(`seed: 1\n${text}`, 'c.yaml'), 'c.yaml');
    expect(train).toEqual({ ...DEFAULT_TRAIN, seed: 1, epochs, eval_interval });
  });

  it.each([
    ['null', ['epochs=60'], 60],
    ['null', ['epochs=60', 'eval_interval=20'], 20],
    ['20', ['epochs=60'], 20],
    ['20', ['epochs=60', 'eval_interval=null'], 60],
  ])('with eval_interval %s takes %j', async (interval, set, eval_interval) => {
    const config = join(folder, 'all_config.yaml');
    writeFileSync(config, `epochs: 40\neval_interval: ${interval}\n`);
    expect((await configFrom({ config, set })).train).toMatchObject({ epochs: 60, eval_interval });
  });

  it('takes settings by published key', () => {
    const all = applySettings({ arch: DEFAULT_ARCH, train: DEFAULT_TRAIN }, [
      'lr=1e-3',
      'arch.L_cycles=8',
      'arch.loss.loss_type=softmax_cross_entropy',
    ]);
    expect(all.train.lr).toBe(1e-3);
    expect(all.arch).toMatchObject({ L_cycles: 8, loss_type: 'softmax_cross_entropy' });
    expect(() => applySettings(all, ['lr'])).toThrow(/expected KEY=VALUE/);
  });
});

describe('shapes', () => {
  it('has the published number of parameters', () => {
    const shapes = parameterShapes({
      ...DEFAULT_ARCH,
      vocab_size: 11,
      seq_len: 81,
      num_puzzle_identifiers: 1,
    });
    const sizes = [...shapes].map(([name, shape]): [string, number] => [name, shape.reduce((a, b) => a * b)]);
    const trained = sizes.filter(([name]) => !/_init$|^puzzle_emb/.test(name));
    expect(trained.reduce((sum, [, size]) => sum + size, 0)).toBe(27_275_266);
  });

  it.each([
    [512, 4, 1536],
    [128, 4, 512],
    [32, 4, 256],
    [96, 4, 256],
    [384, 1, 256], // 256 exactly
    [192, 2, 256],
  ])('swiglu width of hidden_size %d, expansion %d is %d', (hidden_size, expansion, width) => {
    expect(swigluWidth({ ...DEFAULT_ARCH, hidden_size, expansion })).toBe(width);
  });

  it('counts puzzle positions', () => {
    const positions = (puzzle_emb_ndim: number) =>
      puzzlePositions({ ...DEFAULT_ARCH, hidden_size: 32, puzzle_emb_ndim });
    expect([0, 1, 32, 33, 48].map(positions)).toEqual([0, 1, 1, 2, 2]);
  });
});
