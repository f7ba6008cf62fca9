/** Principal components of a few rows of many numbers, in float64. */

import { centredGram, Gram, gramMatrix } from './covariance.ts';

export interface Eigen {
  /** Descending. */
  values: number[];
  /** Of unit length, one for each value. */
  vectors: Float64Array[];
}

/** Below this share of its matrix's norm an element counts as zero: rounding makes no more of it. */
const CONVERGED = 1e-14;
/** Jacobi's method converges quadratically: a dozen sweeps are plenty. */
const MOST_SWEEPS = 60;

/** Eigenvalues and eigenvectors of a symmetric [n, n] matrix, by Jacobi's cyclic rotations. */
export function symmetricEigen(matrix: Float64Array): Eigen {
  const n = Math.sqrt(matrix.length);
  const a = matrix.slice();
  const vectors = new Float64Array(n * n);
  for (let i = 0; i < n; i++) vectors[i * n + i] = 1;
  const norm = Math.sqrt(a.reduce((sum, value) => sum + value * value, 0));
  for (let sweep = 0; sweep < MOST_SWEEPS; sweep++) {
    let largest = 0;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        largest = Math.max(largest, Math.abs(a[p * n + q]));
        if (Math.abs(a[p * n + q]) > CONVERGED * norm) rotate(a, vectors, n, p, q);
      }
    }
    if (largest <= CONVERGED * norm) break;
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => a[j * n + j] - a[i * n + i]);
  return {
    values: order.map((i) => a[i * n + i]),
    vectors: order.map((i) => Float64Array.from({ length: n }, (_, k) => vectors[k * n + i])),
  };
}

/** Makes a[p, q] zero by a rotation in the plane of p and q (Golub and Van Loan, Matrix Computations, 8.5). */
function rotate(a: Float64Array, vectors: Float64Array, n: number, p: number, q: number): void {
  const tau = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q]);
  const t = (tau < 0 ? -1 : 1) / (Math.abs(tau) + Math.sqrt(1 + tau * tau));
  const c = 1 / Math.sqrt(1 + t * t);
  const s = t * c;
  const turn = (array: Float64Array, i: number, j: number) => {
    const [x, y] = [array[i], array[j]];
    array[i] = c * x - s * y;
    array[j] = s * x + c * y;
  };
  for (let k = 0; k < n; k++) turn(a, k * n + p, k * n + q);
  for (let k = 0; k < n; k++) turn(a, p * n + k, q * n + k);
  for (let k = 0; k < n; k++) turn(vectors, k * n + p, k * n + q);
}

export interface Projection {
  /** The rows' coordinates along each component. */
  coordinates: number[][];
  /** Shares of the variance, one for each component. */
  explained: number[];
}

/**
 * Projects rows onto the components along which they vary most. The sign of a component is free; the first row whose
 * coordinate is not zero makes it negative, so that trajectories run from left to right.
 *
 * @param rows themselves, or the inner products of rows
 */
export function principalComponents(rows: readonly Float32Array[] | Gram, components = 2): Projection {
  const gram = centredGram(rows instanceof Gram ? rows.matrix() : gramMatrix(rows));
  const n = Math.sqrt(gram.length);
  const { values, vectors } = symmetricEigen(gram);
  const total = values.reduce((sum, value) => sum + Math.max(0, value), 0);
  const used = Array.from({ length: components }, (_, i) => {
    // Eigenvectors of the Gram matrix are coordinates in units of the root of their eigenvalue.
    const scale = Math.sqrt(Math.max(0, values[i] ?? 0));
    const coordinates = Array.from(vectors[i] ?? new Float64Array(n), (value) => value * scale);
    const first = coordinates.find((value) => Math.abs(value) > 1e-9 * scale) ?? 0;
    return first > 0 ? coordinates.map((value) => -value) : coordinates;
  });
  return {
    coordinates: Array.from({ length: n }, (_, row) => used.map((component) => component[row])),
    explained: used.map((_, i) => (total === 0 ? 0 : Math.max(0, values[i] ?? 0) / total)),
  };
}
