import { type KernelCheck, UNIT_ROUNDOFF, uniformArray } from '../checks/check.ts';
import { type Kernel, linearGrid, packFor } from '../kernel.ts';
import { swiglu as text } from '../shaders.gen.ts';

/** width: numbers in a row of y; a row of gate_up has twice as many. */
export type SwigluParams = { rows: number; width: number };

export const swigluConstants: NonNullable<Kernel<SwigluParams>['constants']> = ({ width }) => {
  const { pack, width: PACK } = packFor(width);
  return { pack, PACK };
};

export const swiglu: Kernel<SwigluParams> = {
  name: 'swiglu',
  text,
  constants: swigluConstants,
  workgroups: ({ rows, width }, { GROUP, PACK }) => linearGrid((rows * width) / PACK, GROUP),
  flops: ({ rows, width }) => 5 * rows * width,
  bytes: ({ rows, width }) => 12 * rows * width,
};

/** silu(gate)·up in float64. */
export function swigluReference(gateUp: ArrayLike<number>, { rows, width }: SwigluParams): Float64Array {
  return Float64Array.from({ length: rows * width }, (_, i) => {
    const gate = gateUp[Math.floor(i / width) * 2 * width + (i % width)];
    const up = gateUp[Math.floor(i / width) * 2 * width + width + (i % width)];
    return (gate / (1 + Math.exp(-gate))) * up;
  });
}

export function swigluInputs(count: number, random: Parameters<typeof uniformArray>[0]): Float32Array {
  return uniformArray(random, count).map((value) => 4 * value);
}

/** Far into both tails of the sigmoid. */
export function farGates(count: number, random: Parameters<typeof uniformArray>[0]): Float32Array {
  return uniformArray(random, count).map((value) => 120 * value);
}

export const check: KernelCheck<SwigluParams> = {
  kernel: swiglu,
  cases: [
    { rows: 1, width: 1 },
    { rows: 3, width: 34 },
    { rows: 17, width: 256 },
  ],
  inputs: ({ rows, width }, random) => ({ gate_up: swigluInputs(2 * rows * width, random) }),
  hard: ({ rows, width }, random) => ({
    'gates far from 0': () => ({ gate_up: farGates(2 * rows * width, random) }),
  }),
  outputs: ({ rows, width }) => ({ y: [rows, width] }),
  reference: ({ gate_up }, params) => ({ y: swigluReference(gate_up, params) }),
  // exp, in a sum of 1 and more, a division and two products.
  tolerance: (_, { exp, division }) => (exp(1) / 3 + division + 1) * UNIT_ROUNDOFF,
};
