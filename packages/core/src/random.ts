/**
 * Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as
 * 1, 2, 3", SC 2011). Word i of a stream is a pure function of (seed, stream, i), so the position is
 * all that a checkpoint must store, and any word can be computed anywhere, on the GPU too.
 */

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;
const ROUNDS = 10;

/** High 32 bits of the unsigned 64-bit product a·b. */
function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const cross = aHigh * bLow + ((aLow * bLow) >>> 16);
  const middle = aLow * bHigh + (cross % 0x10000);
  return (aHigh * bHigh + Math.floor(cross / 0x10000) + Math.floor(middle / 0x10000)) >>> 0;
}

/**
 * One Philox4x32-10 block: encrypts `counter` (4 words) under `key` (2 words) into `out` (4 words).
 * `out` may be `counter` itself.
 */
export function philoxBlock(counter: Uint32Array, key0: number, key1: number, out: Uint32Array): void {
  let [c0, c1, c2, c3] = counter as unknown as [number, number, number, number];
  let k0 = key0 >>> 0;
  let k1 = key1 >>> 0;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = mulHigh(MULTIPLIER_0, c0);
    const low0 = Math.imul(MULTIPLIER_0, c0) >>> 0;
    const high1 = mulHigh(MULTIPLIER_1, c2);
    const low1 = Math.imul(MULTIPLIER_1, c2) >>> 0;
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + WEYL_0) >>> 0;
    k1 = (k1 + WEYL_1) >>> 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/** Where a {@link Philox} stream stands; plain JSON. */
export interface PhiloxState {
  seed: number;
  stream: number;
  position: number;
}

/** A sequential reader of one Philox stream. Streams of one seed are independent of each other. */
export class Philox {
  private readonly counter = new Uint32Array(4);
  private readonly block = new Uint32Array(4);
  private blockIndex = -1;

  /**
   * @param seed any non-negative integer below 2^53
   * @param stream any non-negative integer below 2^32: one per purpose (initialisation, data, exploration…)
   * @param position index of the next 32-bit word
   */
  constructor(
    readonly seed: number,
    readonly stream = 0,
    private position = 0,
  ) {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new RangeError(`Philox: seed must be an integer from 0 to 2^53 − 1, got ${seed}`);
    }
  }

  static fromState(state: PhiloxState): Philox {
    return new Philox(state.seed, state.stream, state.position);
  }

  get state(): PhiloxState {
    return { seed: this.seed, stream: this.stream, position: this.position };
  }

  /** The next word, 0 … 2^32 − 1. */
  nextU32(): number {
    const index = Math.floor(this.position / 4);
    if (index !== this.blockIndex) {
      this.counter[0] = index >>> 0;
      this.counter[1] = Math.floor(index / 2 ** 32);
      this.counter[2] = this.stream;
      this.counter[3] = 0;
      philoxBlock(this.counter, this.seed >>> 0, Math.floor(this.seed / 2 ** 32), this.block);
      this.blockIndex = index;
    }
    return this.block[this.position++ % 4];
  }

  /** Uniform in [0, 1), a multiple of 2^−24 and so exact in f32. */
  uniform(): number {
    return (this.nextU32() >>> 8) / 2 ** 24;
  }

  /** Uniform integer in [0, n), without bias (words past the last multiple of n are drawn again). */
  below(n: number): number {
    if (!(n >= 1 && n <= 2 ** 32)) throw new RangeError(`Philox: below(${n}): expected 1 to 2^32`);
    const limit = Math.floor(2 ** 32 / n) * n;
    let word = this.nextU32();
    while (word >= limit) word = this.nextU32();
    return word % n;
  }

  /** Fisher–Yates shuffle in place; returns its argument. */
  shuffle<A extends { length: number; [index: number]: unknown }>(array: A): A {
    for (let i = array.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const swapped = array[i];
      array[i] = array[j];
      array[j] = swapped;
    }
    return array;
  }
}
