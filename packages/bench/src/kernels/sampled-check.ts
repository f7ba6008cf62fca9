import { type HostArray, type Philox, UserError } from '@hrm-webgpu/core';

const SAMPLES = 4096;

/**
 * Compares some elements of a computed matrix [rows, columns] with exact ones: the corners, and others drawn
 * at random. All must be within `tolerance` relative to the largest exact one seen.
 *
 * @throws UserError naming the element that is furthest off
 */
export function checkSampled(
  name: string,
  actual: HostArray,
  [rows, columns]: readonly [number, number],
  exact: (row: number, column: number) => number,
  tolerance: number,
  random: Philox,
): void {
  let largest = 0;
  let worst = { row: 0, column: 0, error: -1 };
  const compare = (row: number, column: number) => {
    const expected = exact(row, column);
    const error = Math.abs(actual[row * columns + column] - expected);
    largest = Math.max(largest, Math.abs(expected));
    if (!(error <= worst.error) && !Number.isNaN(worst.error)) worst = { row, column, error };
  };
  for (const row of [0, rows - 1]) for (const column of [0, columns - 1]) compare(row, column);
  for (let i = 0; i < SAMPLES; i++) compare(random.below(rows), random.below(columns));
  if (worst.error <= tolerance * largest) return;
  const { row, column } = worst;
  throw new UserError(
    `${name} computes something else: element [${row}, ${column}] is ${actual[row * columns + column]}, ` +
      `expected ${exact(row, column)} within ${tolerance * largest}. Nothing was timed.`,
  );
}
