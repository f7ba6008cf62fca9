import { type Device, openDevice } from '@hrm-webgpu/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openFixture } from '../packages/hrm/src/parity/fixture.ts';
import { folderFiles } from '../packages/hrm/src/parity/folder.node.ts';
import { runParity } from '../packages/hrm/src/parity/parity.ts';
import { comparePredictions } from './portability/predictions.ts';

const folder = (name: string) => new URL(`fixtures/${name}`, import.meta.url).pathname;

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());

const EVAL = (segments: number) => Array.from({ length: segments }, (_, i) => `eval, segment ${i}`);
const GRAD = ['grad, losses and metrics', 'grad, outputs', 'grad, carry', 'grad, gradients'];
const TRACE = [
  'trace, metrics',
  'trace, losses to step 5',
  'trace, learning rates',
  'trace, halting',
  'trace, tensors after step 1',
  'trace, puzzle rows',
  'trace, losses after',
  'trace, tensors after the last step',
];

describe('parity with the published implementation', () => {
  it.each([
    ['tiny-rope', [...EVAL(4), ...GRAD, ...TRACE]],
    ['tiny-learned', [...EVAL(4), ...GRAD, ...TRACE]],
    ['tiny-explore', [...EVAL(6), ...GRAD, ...TRACE]],
    ['tiny-overfit', [...EVAL(4), ...GRAD, ...TRACE]],
    ['tiny-solved', [...EVAL(4), ...GRAD, ...TRACE]],
    ['full-27m', EVAL(2)],
  ])('%s', async (name, groups) => {
    const fixture = await openFixture(folderFiles(folder(name)));
    const rows = await runParity(device, fixture);
    await fixture.close();
    expect(rows.filter(({ ok }) => !ok)).toEqual([]);
    expect(rows.map(({ group }) => group)).toEqual(groups);
    expect(device.tensors.size).toBe(0);
  });

  it('sees a weight that is off by a thousandth', async () => {
    const fixture = await openFixture(folderFiles(folder('tiny-rope')));
    const checkpoint = fixture.checkpoint as NonNullable<typeof fixture.checkpoint>;
    const nudged: typeof checkpoint = {
      ...checkpoint,
      async *piecesF32(key) {
        const factor = key === 'L_level.layers.0.mlp.down_proj.weight' ? 1.001 : 1;
        for await (const piece of checkpoint.piecesF32(key)) yield piece.map((value) => factor * value);
      },
    };
    const rows = await runParity(device, { ...fixture, checkpoint: nudged });
    await fixture.close();
    expect(rows.filter(({ ok }) => !ok).length).toBeGreaterThan(5);
  });
});

it('a trained 6×6 model gives the published predictions after every segment', async () => {
  // The first 32 of its 256 puzzles: enough to see any mistake, an eighth of the time.
  expect(await comparePredictions(device, folderFiles(folder('trained-6x6')), 32)).toEqual([]);
  expect(device.tensors.size).toBe(0);
});
