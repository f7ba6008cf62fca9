import { type KernelCheck, UNIT_ROUNDOFF, uniformArray } from '../checks/check.ts';
import { type Kernel, linearGrid } from '../kernel.ts';
import { roofline_fma as text } from '../shaders.gen.ts';

/** fmas: multiply-adds for each of `length` elements; 0 < a < 1. */
export type RooflineFmaParams = { length: number; fmas: number; a: number; b: number };

/** Numbers that `starts` must hold: enough for any variant. */
export const FMA_STARTS = 128;

/** The smallest `fmas` that every variant of {@link FMA_VARIANTS} divides into whole turns of its loop. */
export const FMA_TURN = 768;

/** Scalars and vectors, few chains and many, in small workgroups and large: which is fastest differs by adapter. */
export const FMA_VARIANTS = [64, 256].flatMap((GROUP) => [
  ...[2, 4, 6].map((CHAINS) => ({ pack: 'vec4<f32>', PACK: 4, CHAINS, GROUP })),
  ...[8, 16, 24, 32].map((CHAINS) => ({ pack: 'f32', PACK: 1, CHAINS, GROUP })),
]);

export const rooflineFma: Kernel<RooflineFmaParams> = {
  name: 'roofline_fma',
  text,
  workgroups: ({ length }, { GROUP, PACK }) => linearGrid(length / PACK, GROUP),
  flops: ({ length, fmas }) => 2 * length * fmas,
  bytes: ({ length }) => 4 * length,
};

export const check: KernelCheck<RooflineFmaParams> = {
  kernel: rooflineFma,
  // After FMA_TURN multiply-adds no chain of the longest variants has reached its limit, so that a step more or less
  // would show.
  cases: [
    { length: 4, fmas: FMA_TURN, a: 1 - 2 ** -9, b: 0.25 },
    { length: 4 * 331, fmas: FMA_TURN, a: 1 - 2 ** -9, b: 0.25 },
  ],
  variants: FMA_VARIANTS,
  inputs: (_, random) => ({ starts: uniformArray(random, FMA_STARTS) }),
  outputs: ({ length }) => ({ y: [length] }),
  reference({ starts }, { length, fmas, a, b }, { PACK = 4, CHAINS = 4 }) {
    const [pack, chains] = [Number(PACK), Number(CHAINS)];
    const y = Float64Array.from({ length }, (_, i) => {
      let sum = 0;
      for (let chain = 0; chain < chains; chain++) {
        let x = starts[chain * pack + (i % pack)] + (Math.floor(i / pack) % 64);
        for (let step = 0; step < fmas / chains; step++) x = a * x + b;
        sum += x;
      }
      return sum;
    });
    return { y };
  },
  // A step rounds x once, and later steps shrink that error by a each: at most steps ≤ FMA_TURN/2 roundoffs of the
  // largest x, 128; at random √steps of them, by 0.4 each, twice where fma rounds its product.
  tolerance: () => 0.8 * Math.sqrt(FMA_TURN) * UNIT_ROUNDOFF,
};
