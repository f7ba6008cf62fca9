import { philoxBlock } from '@hrm-webgpu/core';
import { integerArray, type KernelCheck, UNIT_ROUNDOFF, uniformArray } from '../checks/check.ts';
import { type Kernel, linearGrid } from '../kernel.ts';
import { latent_noise as text } from '../later-shaders.gen.ts';

export type LatentNoiseParams = {
  batch: number;
  /** Elements of a row. */
  length: number;
  /** The noise's standard deviation. */
  sigma: number;
  /** Low and high word of the seed. */
  key0: number;
  key1: number;
  stream: number;
};

export const latentNoise: Kernel<LatentNoiseParams> = {
  name: 'latent_noise',
  text,
  workgroups: ({ batch, length }, { GROUP }) => linearGrid(batch * Math.ceil(length / 4), GROUP),
  flops: ({ batch, length }) => 26 * batch * length,
  bytes: ({ batch, length }) => 8 * batch * length,
};

const SEED = { key0: 0xdeadbeef, key1: 0x1fffff, stream: 0x67756573 };

export const check: KernelCheck<LatentNoiseParams> = {
  kernel: latentNoise,
  cases: [
    { batch: 1, length: 1, sigma: 1, ...SEED },
    { batch: 7, length: 5, sigma: 0.3, ...SEED },
    { batch: 33, length: 128, sigma: 1, ...SEED },
    { batch: 5, length: 8191, sigma: 1, ...SEED, key1: 0 },
  ],
  // Guess 0 and rows that begin anew among the others.
  inputs: ({ batch, length }, random) => ({
    guess: Uint32Array.from(integerArray(random, batch, 4)).map((guess, row) => (row === 0 ? 3 : guess)),
    steps: Uint32Array.from(integerArray(random, batch, 2 ** 31)),
    halted: Uint32Array.from(integerArray(random, batch, 5)).map((drawn, row) =>
      row > 0 && drawn === 0 ? 1 : 0,
    ),
    z: uniformArray(random, batch * length),
  }),
  outputs: () => ({}),
  inPlace: ({ batch, length }) => ({ z: [batch, length] }),
  reference({ guess, steps, halted, z }, { batch, length, sigma, key0, key1, stream }) {
    const noisy = Float64Array.from(z);
    const words = new Uint32Array(4);
    for (let row = 0; row < batch; row++) {
      if (guess[row] === 0 || halted[row] !== 0) continue;
      for (let i = 0; i < length; i++) {
        if (i % 4 === 0)
          philoxBlock(Uint32Array.of(i / 4, steps[row], guess[row], stream), key0, key1, words);
        noisy[row * length + i] += sigma * normalQuantile((2 * (words[i % 4] >>> 9) + 1) / 2 ** 23 - 1);
      }
    }
    return { z: noisy };
  },
  // With log rounded correctly ε is off by 4.4 roundoffs at most (every 37th word was tried); log's own error counts for half.
  tolerance: (_, { log }) => (4 + log / 2) * UNIT_ROUNDOFF,
};

/** The t with P(|ε| < t) = |x|, of x's sign, for ε ~ N(0, 1): √2·erf⁻¹(x), by Newton's method on the series of erf. */
export function normalQuantile(x: number): number {
  // A start within 0.01: Winitzki.
  const l = Math.log(1 - x * x) / 2;
  const m = 2 / (0.147 * Math.PI) + l;
  let t = Math.sign(x) * Math.sqrt(Math.sqrt(m * m - (2 * l) / 0.147) - m);
  for (let i = 0; i < 4; i++) {
    // erf t = 2/√π · exp(−t²) · Σ 2ⁿ t²ⁿ⁺¹ / (2n + 1)!!, all of whose terms have one sign
    let term = t;
    let sum = t;
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
      term *= (2 * t * t) / (2 * n + 1);
      sum += term;
    }
    t -= sum - (x * Math.sqrt(Math.PI) * Math.exp(t * t)) / 2;
  }
  return Math.SQRT2 * t;
}
