/** What the engine and the measuring worker find inside a thought, against the library's own measurements. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openDevice } from '@hrm-webgpu/core';
import { HRM } from 'hrm-webgpu';
import { batchOf, measureParticipation, measureResiduals } from 'hrm-webgpu/inside';
import { parsePuzzle } from 'hrm-webgpu/puzzles';
import { afterAll, describe, expect, it } from 'vitest';
import { measureTrajectories } from '../../hrm/src/figures/trajectories.ts';
import type { ToldSegment } from '../src/engine/api.ts';
import { Engine } from '../src/engine/engine.ts';
import { pathOf, residualLines, residualWords } from '../src/inside/lines.ts';
import { type Look, Measure } from '../src/inside/measure.ts';

const weights = new Blob([
  readFileSync(fileURLToPath(new URL('../models/sudoku-6x6.safetensors', import.meta.url))),
]);
const { grid } = parsePuzzle('4...212315...4..636....5..4.5..6....');
const segments = 3;

describe('a thought from inside', () => {
  const engine = new Engine();
  afterAll(() => engine.close());

  it('is what the library measures, to the bit', async () => {
    const info = await engine.load({ file: weights, name: 'six' }, () => {});
    const measure = new Measure(info.hiddenSize);
    const told: ToldSegment[] = [];
    await engine.think({ grid, segments, everyStep: true }, (segment) => {
      told.push(segment);
      const states = segment.steps.map(({ level }, i) => ({ level, state: segment.states[i].slice() }));
      for (const state of segment.states) structuredClone(state, { transfer: [state.buffer] }); // as the worker does
      measure.add(states);
    });
    const device = await openDevice();
    const hrm = await HRM.load(weights, { device });
    const batch = batchOf(hrm.config, hrm.task, [grid]);
    const residuals = await measureResiduals(hrm.model, batch, { segments });
    expect(told.flatMap(({ steps }) => steps)).toEqual(
      residuals.map(({ level, mean }) => ({ level, residual: mean })),
    );
    expect(residuals[0].mean).toBeGreaterThan(10); // the first step is measured from the initial state
    const look = measure.look() as Look;
    for (const { segment, rows, H, L } of look.participation) {
      const [positions] = await measureParticipation(hrm.model, batch, { segments: segment });
      expect({ count: rows, H, L }).toEqual({ count: positions.count, H: positions.H, L: positions.L });
    }
    const [trajectory] = await measureTrajectories(hrm.model, batch, { segments });
    expect(look.trajectory).toEqual({ H: trajectory.H, L: trajectory.L });
    hrm.dispose();
    device.close();
  });
});

describe('the states that are measured', () => {
  const state = (value: number) => Float32Array.from({ length: 8 }, (_, i) => value * (i + 1) + (i % 3));
  const steps = (value: number) => [
    { level: 'L' as const, state: state(value) },
    { level: 'H' as const, state: state(-value) },
  ];

  it('are nothing before the first segment, and grow with each', () => {
    const measure = new Measure(4);
    expect(measure.look()).toBeUndefined();
    measure.add(steps(1));
    expect(measure.look()).toMatchObject({ segments: 1, participation: [{ segment: 1, rows: 2 }] });
    measure.add(steps(2));
    measure.add(steps(3));
    const look = measure.look() as Look;
    expect(look.participation.map(({ rows }) => rows)).toEqual([2, 4, 6]);
    expect(look.trajectory.H.coordinates).toHaveLength(3);
  });

  it('are no more than memory allows', () => {
    const measure = new Measure(4);
    for (let i = 0; i < 200; i++) measure.add(steps(i));
    expect(measure.look()?.segments).toBe(128);
  });
});

describe('what is drawn of them', () => {
  const step = (level: 'H' | 'L', residual: number) => ({ level, residual });

  it('has the residual of an H step at the L step before it, and none where nothing moved', () => {
    const thought = [
      { steps: [step('L', 8), step('L', 4), step('H', 9)] },
      { steps: [step('L', 2), step('L', 0), step('H', 0.5)] },
    ];
    const lines = residualLines(thought);
    expect(lines).toEqual({ x: [1, 2, 3, 4], H: [null, 9, null, 0.5], L: [8, 4, 2, null] });
    expect(residualWords(lines)).toBe(
      'z_H moves 9.0 in its first step, 0.50 in its latest. z_L moves 8.0 in its first step, 2.0 in its latest.',
    );
  });

  it('is a path with the ends of its segments, in a box around it', () => {
    const coordinates = [
      [-3, 0],
      [1, 2],
      [2, 1],
      [5, 0],
    ];
    const look = {
      ...{ segments: 2, participation: [] },
      trajectory: { H: { coordinates, explained: [0.75, 0.2] }, L: { coordinates, explained: [1, 0] } },
    };
    const { points, ends, box, explained } = pathOf(look, 'H');
    expect(points).toEqual(coordinates);
    expect(ends).toEqual([1, 3]);
    expect(explained).toBeCloseTo(0.95);
    for (const [x, y] of points) {
      expect(x > box.x && x < box.x + box.width && y > box.y && y < box.y + box.height).toBe(true);
    }
  });

  it('has room where the state does not move', () => {
    const still = { coordinates: [[0, 0]], explained: [0, 0] };
    const { box } = pathOf({ segments: 1, participation: [], trajectory: { H: still, L: still } }, 'L');
    expect(box).toEqual({ x: -1, y: -1, width: 2, height: 2 });
  });
});
