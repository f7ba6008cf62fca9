import { readFileSync } from 'node:fs';
import { UserError } from '@hrm-webgpu/core';
import { describe, expect, it } from 'vitest';
import {
  ARC_TOKENS,
  cropGrid,
  drawGrid,
  type Grid,
  gridRows,
  parseTask,
  UNKNOWN,
} from '../../../src/data/arc/arc.ts';
import { augmentGrid, inverse, parseName } from '../../../src/data/arc/arc-augment.ts';

const fixture = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../../../../test/fixtures/${name}`, import.meta.url), 'utf8'));

const grid = (rows: number[][]): Grid => ({
  rows: rows.length,
  columns: rows[0].length,
  cells: Uint8Array.from(rows.flat()),
});

const draw = (of: Grid, top = 0, left = 0) => {
  const canvas = new Uint8Array(ARC_TOKENS.seq_len).fill(255);
  drawGrid(of, canvas, top, left);
  return canvas;
};

/** The canvas's first `rows` × `columns` tokens from (top, left). */
const part = (canvas: Uint8Array, top: number, left: number, rows: number, columns: number) =>
  Array.from({ length: rows }, (_, r) => [
    ...canvas.subarray((top + r) * 30 + left, (top + r) * 30 + left + columns),
  ]);

describe('drawGrid', () => {
  it('marks the end below and to the right, but not at the corner', () => {
    const canvas = draw(
      grid([
        [0, 9],
        [3, 1],
      ]),
    );
    expect(part(canvas, 0, 0, 4, 4)).toEqual([
      [2, 11, 1, 0],
      [5, 3, 1, 0],
      [1, 1, 0, 0],
      [0, 0, 0, 0],
    ]);
    expect(canvas.reduce((sum, token) => sum + token)).toBe(2 + 11 + 5 + 3 + 4);
  });

  it('marks only what is on the canvas', () => {
    const one = grid([[4]]);
    expect(part(draw(one, 29, 28), 28, 27, 2, 3)).toEqual([
      [0, 0, 0],
      [0, 6, 1],
    ]);
    expect(part(draw(one, 28, 29), 28, 28, 2, 2)).toEqual([
      [0, 6],
      [0, 1],
    ]);
    const full = { rows: 30, columns: 30, cells: new Uint8Array(900) };
    expect(draw(full)).toEqual(new Uint8Array(900).fill(2));
  });

  it('draws as the published preparation does', () => {
    for (const { encoded, augmentation } of fixture('arc.json')) {
      for (const pair of encoded) {
        for (const canvas of [pair.input, pair.output]) expect([...draw(cropGrid(canvas))]).toEqual(canvas);
      }
      expect([...draw(grid(augmentation.augmented))]).toEqual(augmentation.encoded);
    }
  });
});

describe('cropGrid', () => {
  it('crops as the published scoring does', () => {
    const cases = fixture('arc-crop.json');
    expect(cases.length).toBeGreaterThan(0);
    for (const { sequence, crop } of cases) expect(gridRows(cropGrid(sequence))).toEqual(crop);
  });

  it('takes the rectangle with fewer rows of two of the same area', () => {
    const canvas = draw(
      grid([
        [1, 1],
        [1, 1],
      ]),
    );
    canvas[31] = 1; // leaves 1 × 2 and 2 × 1
    expect(gridRows(cropGrid(canvas))).toEqual([[1, 1]]);
  });

  it('is empty where no colour is in the corner, whatever else there is', () => {
    for (const token of [0, 1, 12, -100]) {
      const canvas = Array.from({ length: 900 }, () => 5);
      canvas[0] = token;
      expect(cropGrid(canvas)).toEqual({ rows: 0, columns: 0, cells: new Uint8Array(0) });
    }
  });
});

describe('augmentGrid', () => {
  const same = Uint8Array.from({ length: 10 }, (_, i) => i);
  // [[1, 2, 3], [4, 5, 6]] by numpy: np.rot90(a, k), fliplr, flipud, .T, fliplr(rot90(a))
  it.each([
    [
      0,
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
    ],
    [
      1,
      [
        [3, 6],
        [2, 5],
        [1, 4],
      ],
    ],
    [
      2,
      [
        [6, 5, 4],
        [3, 2, 1],
      ],
    ],
    [
      3,
      [
        [4, 1],
        [5, 2],
        [6, 3],
      ],
    ],
    [
      4,
      [
        [3, 2, 1],
        [6, 5, 4],
      ],
    ],
    [
      5,
      [
        [4, 5, 6],
        [1, 2, 3],
      ],
    ],
    [
      6,
      [
        [1, 4],
        [2, 5],
        [3, 6],
      ],
    ],
    [
      7,
      [
        [6, 3],
        [5, 2],
        [4, 1],
      ],
    ],
  ])('transform %i', (transform, expected) => {
    const original = grid([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    const changed = augmentGrid(original, { transform, colours: same });
    expect(gridRows(changed)).toEqual(expected);
    const colours = Uint8Array.of(0, 3, 1, 2, 9, 8, 7, 6, 5, 4);
    const both = augmentGrid(original, { transform, colours });
    expect(gridRows(both)).toEqual(expected.map((row) => row.map((colour) => colours[colour])));
    expect(augmentGrid(both, inverse({ transform, colours }))).toEqual(original);
  });

  it('augments as the published preparation does', () => {
    for (const { task, augmentation } of fixture('arc.json')) {
      const { name, original, augmented } = augmentation;
      const parsed = parseName(name);
      expect(parsed.task).toBe(task);
      expect(gridRows(augmentGrid(grid(original), parsed.augmentation!))).toEqual(augmented);
      expect(gridRows(augmentGrid(grid(augmented), inverse(parsed.augmentation!)))).toEqual(original);
    }
  });
});

describe('parseName', () => {
  it.each(['0f63c0b9', 'my_task', 't3_0123456789', 'a_t8_0123456789', 'a_t3_0123456788', 'a_t3_012345678'])(
    '%s is a task itself',
    (name) => expect(parseName(name)).toEqual({ task: name }),
  );

  it('takes an augmented name apart at its end', () => {
    expect(parseName('a_t1_x_t3_0213456789')).toEqual({
      task: 'a_t1_x',
      augmentation: { transform: 3, colours: Uint8Array.of(0, 2, 1, 3, 4, 5, 6, 7, 8, 9) },
    });
  });
});

describe('parseTask', () => {
  const pair = {
    input: [
      [0, 1],
      [2, 3],
    ],
    output: [[4]],
  };
  const parse = (json: unknown) => parseTask(JSON.parse(JSON.stringify(json)), 'a.json', 'a');
  const withInput = (input: unknown) => ({ train: [pair, { ...pair, input }], test: [pair] });

  it('reads pairs, and the name if there is one', () => {
    const task = parse({ train: [pair], test: [pair, pair] });
    expect(task).toMatchObject({ name: 'a', train: { length: 1 }, test: { length: 2 } });
    expect(task.train[0]).toEqual({ input: grid(pair.input), output: grid(pair.output) });
    expect(parse({ name: 'b', train: [pair], test: [pair] }).name).toBe('b');
  });

  it('lets tests lack their output', () => {
    const [known, unknown] = parse({ train: [pair], test: [pair, { input: [[1]] }] }).test;
    expect(gridRows(known.output)).toEqual([[4]]);
    expect(unknown.output).toBe(UNKNOWN);
    expect(draw(UNKNOWN)).toEqual(new Uint8Array(900));
  });

  it.each([
    [[], /^a\.json: is "\[\]", expected an object with "train" and "test"/],
    [{ test: [pair] }, /^a\.json: train is missing/],
    [{ train: [pair] }, /^a\.json: test is missing/],
    [{ train: [], test: [pair] }, /^a\.json: train is "\[\]", expected a list of one or more pairs/],
    [
      { train: [pair, { input: [[1]] }], test: [pair] },
      /^a\.json: train\[1\]\.output is missing, expected a list of 1 to 30 rows/,
    ],
    [{ train: [pair], test: [{ output: [[1]] }] }, /^a\.json: test\[0\]\.input is missing/],
    [{ train: [pair], test: [{ input: [[1]], output: null }] }, /^a\.json: test\[0\]\.output is "null"/],
    [{ train: [pair], test: [null] }, /^a\.json: test\[0\] is "null", expected an object/],
    [{ name: 3, train: [pair], test: [pair] }, /^a\.json: name is "3"/],
    [withInput([[1, 2], [3]]), /^a\.json: train\[1\]\.input\[1\] has 1 cells, expected 2 as in row 0/],
    [withInput([]), /^a\.json: train\[1\]\.input has 0 rows, expected 1 to 30/],
    [withInput([[]]), /^a\.json: train\[1\]\.input\[0\] has 0 cells, expected 1 to 30/],
    [withInput(Array(31).fill([1])), /train\[1\]\.input has 31 rows, expected 1 to 30/],
    [withInput([Array(31).fill(1)]), /train\[1\]\.input\[0\] has 31 cells/],
    [withInput([[1, 10]]), /train\[1\]\.input\[0\]\[1\] is "10", expected a colour, 0 to 9/],
    [withInput([[-1]]), /train\[1\]\.input\[0\]\[0\] is "-1"/],
    [withInput([[1.5]]), /train\[1\]\.input\[0\]\[0\] is "1\.5"/],
    [withInput([['1']]), /train\[1\]\.input\[0\]\[0\] is "\\"1\\""/],
    [withInput([3]), /train\[1\]\.input\[0\] is "3", expected a row/],
    [withInput('x'), /train\[1\]\.input is .*expected a list of 1 to 30 rows/],
  ])('refuses %j', (json, message) => {
    expect(() => parse(json)).toThrow(UserError);
    expect(() => parse(json)).toThrow(message);
  });

  it('refuses what is nested too deeply to be shown', () => {
    const deep = JSON.parse(`${'['.repeat(1e5)}${']'.repeat(1e5)}`);
    expect(() => parseTask(withInput(deep), 'a.json', 'a')).toThrow(
      /input\[0\]\[0\] is nested too deeply, expected a/,
    );
  });
});
