import { Philox } from '@hrm-webgpu/core';
import { describe, expect, it } from 'vitest';
import {
  CovarianceSums,
  centredGram,
  Gram,
  gramMatrix,
  participationRatio,
} from '../../src/figures/covariance.ts';
import { haltingAt } from '../../src/figures/halting.ts';
import { principalComponents, symmetricEigen } from '../../src/figures/principal-components.ts';
import { distances } from '../../src/figures/residuals.ts';
import { settlesAt } from '../../src/figures/trajectories.ts';

/** Sums of a few dozen float64 products of values near one. */
const EXACT = 1e-12;

const covarianceOf = (rows: readonly number[][]) => {
  const sums = new CovarianceSums(rows[0].length);
  sums.add(rows.flat());
  return sums.covariance();
};

function randomRows(count: number, dim: number): Float32Array[] {
  const random = new Philox(7, 1);
  // Columns of different size, off the origin.
  return Array.from({ length: count }, () =>
    Float32Array.from({ length: dim }, (_, i) => (random.uniform() - 0.2) * (1 + i)),
  );
}

describe('the participation ratio', () => {
  it('is the number of dimensions that are filled alike', () => {
    // The corners of a square and of a cube, wherever they stand.
    const square = [
      [3, 1, 5],
      [3, 3, 5],
      [5, 1, 5],
      [5, 3, 5],
    ];
    expect(participationRatio(covarianceOf(square))).toBeCloseTo(2, 12);
    const cube = [0, 1].flatMap((x) => [0, 1].flatMap((y) => [0, 1].map((z) => [x, y, z])));
    expect(participationRatio(covarianceOf(cube))).toBeCloseTo(3, 12);
  });

  it('is 1 along a line and 0 of a point', () => {
    const line = [0, 1, 2, 5].map((t) => [t, -2 * t, 3 * t + 1]);
    expect(participationRatio(covarianceOf(line))).toBeCloseTo(1, 12);
    expect(participationRatio(covarianceOf([[1, 2, 3]]))).toBe(0);
  });

  it('is (Σλ)²/Σλ² over unequal eigenvalues: variances 4, 2 and 1 give 49/21', () => {
    const axes = [4, 2, 1].flatMap((variance, axis) =>
      [1, -1].map((sign) => [0, 1, 2].map((i) => (i === axis ? sign * Math.sqrt(3 * variance) : 0))),
    );
    expect(participationRatio(covarianceOf(axes))).toBeCloseTo(49 / 21, 12);
  });

  it('is that of the eigenvalues, of all rows together, and of the inner products', () => {
    const rows = randomRows(23, 7);
    const sums = new CovarianceSums(7);
    for (const row of rows) sums.add(row);
    const { values } = symmetricEigen(sums.covariance());
    const total = values.reduce((sum, value) => sum + value, 0);
    const byEigenvalues = total ** 2 / values.reduce((sum, value) => sum + value ** 2, 0);
    expect(Math.abs(participationRatio(sums.covariance()) - byEigenvalues)).toBeLessThan(EXACT * 7);
    const parts = [rows.slice(0, 9), rows.slice(9)].map((part) => {
      const one = new CovarianceSums(7);
      for (const row of part) one.add(row);
      return one;
    });
    parts[0].merge(parts[1]);
    expect(parts[0].count).toBe(23);
    expect(participationRatio(parts[0].covariance())).toBeCloseTo(byEigenvalues, 10);
    expect(participationRatio(centredGram(gramMatrix(rows)))).toBeCloseTo(byEigenvalues, 10);
    // The first nine alone, out of the inner products of all.
    const nine = new CovarianceSums(7);
    for (const row of rows.slice(0, 9)) nine.add(row);
    expect(participationRatio(centredGram(gramMatrix(rows), 9))).toBeCloseTo(
      participationRatio(nine.covariance()),
      10,
    );
  });
});

describe('eigenvalues and principal components', () => {
  it('are known of [[2, 1], [1, 2]]: 3 along (1, 1) and 1 along (1, −1)', () => {
    const { values, vectors } = symmetricEigen(Float64Array.of(2, 1, 1, 2));
    expect(values[0]).toBeCloseTo(3, 14);
    expect(values[1]).toBeCloseTo(1, 14);
    expect(Math.abs(vectors[0][0] + vectors[0][1])).toBeCloseTo(Math.SQRT2, 14);
    expect(vectors[1][0] + vectors[1][1]).toBeCloseTo(0, 14);
  });

  it('make up the matrix again', () => {
    const n = 12;
    const matrix = centredGram(gramMatrix(randomRows(n, 40)));
    const { values, vectors } = symmetricEigen(matrix);
    const scale = values[0];
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        const made = values.reduce((sum, value, k) => sum + value * vectors[k][i] * vectors[k][j], 0);
        expect(Math.abs(made - matrix[i * n + j])).toBeLessThan(1e-12 * scale);
        const product = vectors[i].reduce((sum, value, k) => sum + value * vectors[j][k], 0);
        expect(product).toBeCloseTo(i === j ? 1 : 0, 12);
      }
    }
  });

  it('put points of a plane in space where they are in their plane', () => {
    // Along (3, 4, 0)/5 and (0, 0, 1): 4 and 1 long.
    const plane = [
      [-4, 0],
      [0, -1],
      [0, 1],
      [4, 0],
    ];
    const rows = plane.map(([x, y]) => Float32Array.of(0.6 * x + 1, 0.8 * x + 2, y + 3));
    const { coordinates, explained } = principalComponents(rows);
    // The rows are f32, near 6 at most.
    plane.forEach(([x, y], i) => {
      expect(coordinates[i][0]).toBeCloseTo(x, 6);
      expect(coordinates[i][1]).toBeCloseTo(y, 6);
    });
    expect(explained[0]).toBeCloseTo(32 / 34, 6);
    expect(explained[1]).toBeCloseTo(2 / 34, 6);
  });

  it('are the same of rows that come one after the other', () => {
    const rows = randomRows(9, 40);
    const gram = new Gram();
    rows.forEach((row, i) => {
      gram.add(row);
      expect(gram.matrix()).toEqual(gramMatrix(rows.slice(0, i + 1)));
      expect(principalComponents(gram)).toEqual(principalComponents(rows.slice(0, i + 1)));
    });
  });

  it('are all zero of one row', () => {
    expect(principalComponents([Float32Array.of(1, 2)])).toEqual({
      coordinates: [[0, 0]],
      explained: [0, 0],
    });
  });
});

it('distances are those of each row, from its own row or from one that all share', () => {
  const after = Float32Array.of(3, 4, 1, 1);
  expect(distances(Float32Array.of(0, 0, 1, 0), after, 2)).toEqual([5, 1]);
  expect(distances(Float32Array.of(0, 0), after, 2)).toEqual([5, Math.SQRT2]);
});

it('answers settle with the last change', () => {
  const answers = [
    [1, 1],
    [1, 2],
    [1, 2],
    [2, 2],
    [2, 2],
  ].map((tokens) => Int32Array.from(tokens));
  expect(settlesAt(answers)).toBe(3);
  expect(settlesAt(answers.slice(0, 1))).toBe(0);
});

it('halting at a limit takes the answer at the limit or where a row has halted before', () => {
  const ended = [
    { steps: 1, exact: [true] },
    { steps: 3, exact: [false, true, false] },
  ];
  const [one, two, three, four] = [1, 2, 3, 4].map((limit) => haltingAt(limit, ended));
  expect([one, two, three, four].map(({ segments }) => segments)).toEqual([1, 1.5, 2, 2]);
  expect([one, two, three, four].map(({ exact_accuracy }) => exact_accuracy)).toEqual([0.5, 1, 0.5, 0.5]);
});
