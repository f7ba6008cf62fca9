/** The models that the page brings along: small, whole in themselves, and able to solve. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Device, openDevice } from '@hrm-webgpu/core';
import { blobSource, HRM, openTensorFile, type Task } from 'hrm-webgpu';
import { encodeGrid, parsePuzzle, verdictOn } from 'hrm-webgpu/puzzles';
import { afterAll, beforeAll, expect, it } from 'vitest';

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const folder = path('../packages/web/models/');
/** As a page has it: bytes without a folder around them. */
const blobOf = (name: string) => new Blob([readFileSync(`${folder}${name}`)]);

const SIX = 'sudoku-6x6.safetensors';
/** A puzzle that each solves, its task, and the type of its weights. */
const MODELS: Record<string, { puzzle: string; task: Task; dtype: string }> = {
  'maze-9x9.safetensors': {
    task: 'maze',
    dtype: 'F32',
    puzzle: [
      ' # #  # #',
      '#  #   # ',
      'S ####  #',
      '#  # ### ',
      '#   #    ',
      ' #   # # ',
      ' ### # # ',
      '# ##G### ',
      '#     # #',
    ].join('\n'),
  },
  'sudoku-4x4.safetensors': { task: 'sudoku', dtype: 'F16', puzzle: '1..43..22..34..1' },
  [SIX]: { task: 'sudoku', dtype: 'F16', puzzle: '4...212315...4..636....5..4.5..6....' },
};

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());

it('are known to this test', () => {
  expect(readdirSync(folder).sort()).toEqual(['README.md', ...Object.keys(MODELS)]);
});

it.each(Object.entries(MODELS))(
  '%s is small, says what it is, and solves',
  async (name, { puzzle, task, dtype }) => {
    const blob = blobOf(name);
    expect(blob.size).toBeLessThanOrEqual(2.5e6);
    const file = await openTensorFile(blobSource(blob, name));
    expect(new Set(file.names.map((tensor) => file.info(tensor).dtype))).toEqual(new Set([dtype]));
    expect(JSON.parse(file.metadata.task)).toBe(task);
    const model = await HRM.load(blob, { device });
    const { config } = model;
    expect(model.task).toBe(task);
    const { grid } = parsePuzzle(puzzle);
    const { grid: answer, tokens: prediction } = await model.solve(grid);
    const input = encodeGrid(task, config, grid, name);
    expect(verdictOn({ task, input, prediction, answer })).toMatchObject({ valid: true });
    model.dispose();
  },
);

it(`${SIX} thinks as the weights that it was made of`, async () => {
  const lines = readFileSync(path('fixtures/curve-6x6/test.txt'), 'utf8').trim().split('\n').slice(0, 16);
  const grids = lines.map((line) => parsePuzzle(line).grid);
  const thoughts = [];
  for (const source of [path('fixtures/trained-6x6'), blobOf(SIX)]) {
    const model = await HRM.load(source, { device });
    thoughts.push((await model.solve(grids)).map(({ grid, segments }) => ({ grid, segments })));
    model.dispose();
  }
  expect(thoughts[1]).toEqual(thoughts[0]);
});
