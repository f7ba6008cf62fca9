/** Figures that tell whether weights are sound, gathered in one pass over a tensor's pieces. */

import type { DType, TensorData } from './dtype.ts';
import { toF32 } from './dtype.ts';

/** Figures of a tensor; all but the counts are over its finite elements, and NaN where there are none. */
export interface TensorSums {
  count: number;
  nan: number;
  infinite: number;
  sum: number;
  mean: number;
  /** Of the elements as a whole population. */
  std: number;
  min: number;
  max: number;
}

/** Elements as numbers that lose nothing which a double can hold. */
function toNumbers(dtype: DType, data: TensorData): ArrayLike<number> {
  if (data instanceof BigInt64Array) return Float64Array.from(data, Number);
  return dtype === 'BF16' || dtype === 'F16' ? toF32(dtype, data) : data;
}

/**
 * The figures of a tensor. Squares are taken of distances from the mean of a piece, and pieces joined by Chan, Golub and
 * LeVeque's formula (1979), so that a large mean costs no digits.
 */
export async function sumTensor(dtype: DType, pieces: AsyncIterable<TensorData>): Promise<TensorSums> {
  const total = { count: 0, nan: 0, infinite: 0, sum: 0, min: Number.NaN, max: Number.NaN };
  let finite = 0;
  let squares = 0;
  for await (const piece of pieces) {
    const part = sumPiece(toNumbers(dtype, piece));
    total.count += piece.length;
    total.nan += part.nan;
    total.infinite += piece.length - part.finite - part.nan;
    if (part.finite === 0) continue;
    if (finite > 0) {
      const distance = part.sum / part.finite - total.sum / finite;
      squares += (distance * distance * finite * part.finite) / (finite + part.finite);
    }
    squares += part.squares;
    finite += part.finite;
    total.sum += part.sum;
    total.min = Number.isNaN(total.min) ? part.min : Math.min(total.min, part.min);
    total.max = Number.isNaN(total.max) ? part.max : Math.max(total.max, part.max);
  }
  return { ...total, mean: total.sum / finite, std: Math.sqrt(squares / finite) };
}

function sumPiece(values: ArrayLike<number>) {
  let nan = 0;
  let finite = 0;
  let sum = 0;
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (Number.isFinite(value)) {
      finite += 1;
      sum += value;
      if (value < min) min = value;
      if (value > max) max = value;
    } else if (Number.isNaN(value)) nan += 1;
  }
  const mean = sum / finite;
  let squares = 0;
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) squares += (values[i] - mean) ** 2;
  }
  return { nan, finite, sum, squares, min, max };
}
