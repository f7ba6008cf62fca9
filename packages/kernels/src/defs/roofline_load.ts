import { integerArray, type KernelCheck } from '../checks/check.ts';
import { type Kernel, linearGrid } from '../kernel.ts';
import { roofline_load as text } from '../shaders.gen.ts';

/** loads: packs that each thread loads, a multiple of 8; a thread writes one pack of the `length` numbers of y. */
export type RooflineLoadParams = { length: number; loads: number };

/** Packs of x. */
export const LOAD_SPAN = 1024;

/** Scalars and vectors. */
export const LOAD_VARIANTS = [
  { pack: 'f32', PACK: 1 },
  { pack: 'vec4<f32>', PACK: 4 },
];

export const rooflineLoad: Kernel<RooflineLoadParams> = {
  name: 'roofline_load',
  text,
  workgroups: ({ length }, { GROUP, PACK }) => linearGrid(length / PACK, GROUP),
  flops: ({ length, loads }) => length * loads,
  bytes: ({ length, loads }) => 4 * length * loads,
};

export const check: KernelCheck<RooflineLoadParams> = {
  kernel: rooflineLoad,
  cases: [
    { length: 4, loads: 8 },
    { length: 4 * 331, loads: 72 },
  ],
  variants: LOAD_VARIANTS,
  inputs: (_, random) => ({ x: Float32Array.from(integerArray(random, 4 * LOAD_SPAN, 1000)) }),
  outputs: ({ length }) => ({ y: [length] }),
  reference({ x }, { length, loads }, { PACK = 4 }) {
    const pack = Number(PACK);
    const y = Float64Array.from({ length }, (_, i) => {
      let sum = 0;
      for (let load = 0; load < loads; load++)
        sum += x[((Math.floor(i / pack) + load * 64) % LOAD_SPAN) * pack + (i % pack)];
      return sum;
    });
    return { y };
  },
  tolerance: () => 0, // sums of whole numbers below 2^24
};
