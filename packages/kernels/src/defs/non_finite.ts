import { type KernelCheck, uniformArray } from '../checks/check.ts';
import { type Kernel, linearGrid } from '../kernel.ts';
import { non_finite as text } from '../shaders.gen.ts';

export type NonFiniteParams = { length: number; slot: number };

/** What the three words of a slot are about. */
export const NON_FINITE_KINDS = ['NaN', 'Infinity', '-Infinity'] as const;

export const nonFinite: Kernel<NonFiniteParams> = {
  name: 'non_finite',
  text,
  workgroups: ({ length }, { GROUP }) => linearGrid(length, GROUP),
  flops: () => 0,
  bytes: ({ length }) => 4 * length,
};

/** Which of the kinds a number is; −1 for a finite one. */
const kindOf = (value: number) =>
  Number.isNaN(value) ? 0 : [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].indexOf(value) + 1 || -1;

/** A NaN with the sign set and the smallest fraction, which a test by comparison with a constant would miss. */
const ODD_NAN = new Float32Array(Uint32Array.of(0xff800001).buffer);

export const check: KernelCheck<NonFiniteParams> = {
  kernel: nonFinite,
  cases: [
    { length: 1, slot: 0 },
    { length: 64, slot: 2 },
    { length: 1003, slot: 1 },
  ],
  // The largest numbers and denormals are finite. The others stand in several places, of which the first counts.
  inputs: ({ length, slot }, random) => {
    const x = uniformArray(random, length);
    x.set([3.4028234663852886e38, -3.4028234663852886e38, 1e-45].slice(0, length));
    const place = (bits: Float32Array, at: number) => at < length && x.set(bits, at);
    place(Float32Array.of(Number.NaN), length - 1);
    place(ODD_NAN, 47);
    place(Float32Array.of(Number.POSITIVE_INFINITY), 500);
    place(Float32Array.of(Number.POSITIVE_INFINITY), 900);
    place(Float32Array.of(Number.NEGATIVE_INFINITY), 63);
    place(Float32Array.of(Number.NEGATIVE_INFINITY), 64);
    return { x, found: new Uint32Array(3 * (slot + 2)) };
  },
  hard: ({ length, slot }) => ({
    'nothing found': () => ({ x: new Float32Array(length).fill(3.4e38) }),
    'found before': () => ({ found: new Uint32Array(3 * (slot + 2)).fill(length) }),
  }),
  outputs: () => ({}),
  inPlace: ({ slot }) => ({ found: [slot + 2, 3] }),
  integers: ['found'],
  reference: ({ x, found }, { length, slot }) => {
    const expected = Float64Array.from(found);
    x.forEach((value, i) => {
      const at = 3 * slot + kindOf(value);
      if (kindOf(value) >= 0) expected[at] = Math.max(expected[at], length - i);
    });
    return { found: expected };
  },
  tolerance: () => 0, // integers
};
