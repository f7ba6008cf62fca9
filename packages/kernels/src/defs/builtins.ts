import type { Philox } from '@hrm-webgpu/core';
import { type KernelCheck, UNIT_ROUNDOFF, uniformArray } from '../checks/check.ts';
import { type Kernel, linearGrid } from '../kernel.ts';
import { builtins as text } from '../shaders.gen.ts';

export type BuiltinsParams = { length: number };

export const builtins: Kernel<BuiltinsParams> = {
  name: 'builtins',
  text,
  workgroups: ({ length }, { GROUP }) => linearGrid(length, GROUP),
  flops: ({ length }) => 5 * length,
  bytes: ({ length }) => 28 * length,
};

/** x uniform in [−extent, extent), and y = 2^x: small, large and near 1. */
export function builtinsInputs(random: Philox, length: number, extent: number) {
  const x = uniformArray(random, length).map((value) => extent * value);
  return { x, y: uniformArray(random, length).map((value) => 2 ** (extent * value)) };
}

/** The five functions in float64. */
export function builtinsReference(x: ArrayLike<number>, y: ArrayLike<number>) {
  const of = (compute: (x: number, y: number) => number) =>
    Float64Array.from(x, (value, i) => compute(value, y[i]));
  return {
    exponential: of((x) => Math.exp(x)),
    logarithm: of((_, y) => Math.log(y)),
    quotient: of((x, y) => x / y),
    root: of((_, y) => Math.sqrt(y)),
    inverse_root: of((_, y) => 1 / Math.sqrt(y)),
  };
}

export const check: KernelCheck<BuiltinsParams> = {
  kernel: builtins,
  cases: [{ length: 1 }, { length: 67 }, { length: 1300 }],
  // Close together, as what is off is judged by the largest.
  inputs: ({ length }, random) => builtinsInputs(random, length, 1),
  outputs: ({ length }) =>
    Object.fromEntries(
      ['exponential', 'logarithm', 'quotient', 'root', 'inverse_root'].map((name) => [name, [length]]),
    ),
  reference: ({ x, y }) => builtinsReference(x, y),
  // As far off as they are over a wide range, see checks/builtin-errors.ts; log absolutely, against a largest of ln 2.
  tolerance: (_, errors) => ({
    exponential: errors.exp(1) * UNIT_ROUNDOFF,
    logarithm: (errors.log / Math.LN2) * UNIT_ROUNDOFF,
    quotient: errors.division * UNIT_ROUNDOFF,
    root: errors.sqrt * UNIT_ROUNDOFF,
    inverse_root: errors.inverseSqrt * UNIT_ROUNDOFF,
  }),
};
