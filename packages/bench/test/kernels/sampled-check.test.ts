import { Philox } from '@hrm-webgpu/core';
import { describe, expect, it } from 'vitest';
import { checkSampled } from '../../src/kernels/sampled-check.ts';

const ROWS = 64;
const COLUMNS = 96;
const exact = (row: number, column: number) => row - column / 2;
const matrix = () =>
  Float32Array.from({ length: ROWS * COLUMNS }, (_, i) => exact(Math.floor(i / COLUMNS), i % COLUMNS));
const check = (actual: Float32Array) =>
  checkSampled('the kernel', actual, [ROWS, COLUMNS], exact, 1e-6, new Philox(1));

describe('checkSampled', () => {
  it('lets a right result pass', () => check(matrix()));

  it.each([
    ['a tile that is off', (m: Float32Array) => m.fill(0, 8 * COLUMNS, 16 * COLUMNS)],
    [
      'one column that was not written',
      (m: Float32Array) => m.set(m.map((value, i) => (i % COLUMNS === 5 ? 7 : value))),
    ],
    ['the last element alone', (m: Float32Array) => m.fill(1e3, -1)],
    ['NaN', (m: Float32Array) => m.fill(Number.NaN, 0, 500)],
    ['nothing at all', (m: Float32Array) => m.fill(0)],
  ])('finds %s', (_, spoil) => {
    const actual = matrix();
    spoil(actual);
    expect(() => check(actual)).toThrow(/^the kernel computes something else: element \[\d+, \d+\] is /);
  });
});
