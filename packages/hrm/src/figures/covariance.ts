/** Participation ratios, in float64: how many dimensions a cloud of states fills. */

/**
 * Sums that the covariance of rows of `dim` numbers follows from. Two of them added up are those of all their rows.
 */
export class CovarianceSums {
  count = 0;
  private readonly sum: Float64Array;
  /** Σ x·xᵀ, the upper triangle. */
  private readonly products: Float64Array;

  constructor(readonly dim: number) {
    this.sum = new Float64Array(dim);
    this.products = new Float64Array(dim * dim);
  }

  /** Adds rows [n, dim], one after the other. */
  add(rows: ArrayLike<number>): void {
    const { dim, sum, products } = this;
    const row = new Float64Array(dim);
    for (let first = 0; first < rows.length; first += dim) {
      for (let i = 0; i < dim; i++) row[i] = rows[first + i];
      for (let i = 0; i < dim; i++) {
        const value = row[i];
        sum[i] += value;
        const at = i * dim;
        for (let j = i; j < dim; j++) products[at + j] += value * row[j];
      }
      this.count++;
    }
  }

  /** Adds the rows of another. */
  merge(other: CovarianceSums): void {
    this.count += other.count;
    other.sum.forEach((value, i) => {
      this.sum[i] += value;
    });
    other.products.forEach((value, i) => {
      this.products[i] += value;
    });
  }

  /** C [dim, dim] = Σ (x − mean)(x − mean)ᵀ / n. */
  covariance(): Float64Array {
    const { dim, count, sum, products } = this;
    const covariance = new Float64Array(dim * dim);
    for (let i = 0; i < dim; i++) {
      for (let j = i; j < dim; j++) {
        const value = products[i * dim + j] / count - (sum[i] / count) * (sum[j] / count);
        covariance[i * dim + j] = value;
        covariance[j * dim + i] = value;
      }
    }
    return covariance;
  }
}

/**
 * (Σλ)²/Σλ² over the eigenvalues of a symmetric [n, n] matrix, as tr(C)²/‖C‖²_F, which needs none of them: n if all are equal, 1
 * if all but one are zero, and 0 of a cloud that is one point.
 */
export function participationRatio(matrix: Float64Array): number {
  const n = Math.sqrt(matrix.length);
  let trace = 0;
  for (let i = 0; i < n; i++) trace += matrix[i * n + i];
  const squares = matrix.reduce((sum, value) => sum + value * value, 0);
  return squares === 0 ? 0 : trace ** 2 / squares;
}

/**
 * Inner products of rows of any length that come one after the other, each multiplied once with those before it. Centred, they have the
 * eigenvalues of n·C and need no [dim, dim] matrix: for few rows of many numbers.
 */
export class Gram {
  /** They belong to it from now on. */
  private readonly rows: Float32Array[] = [];
  /** Of row i with the rows 0 … i. */
  private readonly products: Float64Array[] = [];

  add(row: Float32Array): void {
    this.rows.push(row);
    this.products.push(Float64Array.from(this.rows, (other) => innerProduct(other, row)));
  }

  /** [n, n] */
  matrix(): Float64Array {
    const n = this.rows.length;
    const gram = new Float64Array(n * n);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j <= i; j++) {
        gram[i * n + j] = this.products[i][j];
        gram[j * n + i] = this.products[i][j];
      }
    }
    return gram;
  }
}

/** The inner products [n, n] of rows that are all there. */
export function gramMatrix(rows: readonly Float32Array[]): Float64Array {
  const gram = new Gram();
  for (const row of rows) gram.add(row);
  return gram.matrix();
}

function innerProduct(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** The inner products of the first `count` rows of a Gram matrix [n, n] less their mean, [count, count]. */
export function centredGram(gram: Float64Array, count = Math.sqrt(gram.length)): Float64Array {
  const n = Math.sqrt(gram.length);
  const means = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) means[i] += gram[i * n + j] / count;
  }
  const mean = means.reduce((sum, value) => sum + value, 0) / count;
  const centred = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) centred[i * count + j] = gram[i * n + j] - means[i] - means[j] + mean;
  }
  return centred;
}
