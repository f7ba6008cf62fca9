import { integerArray, type KernelCheck, UNIT_ROUNDOFF, uniformArray } from '../checks/check.ts';
import { type Kernel, linearGrid } from '../kernel.ts';
import { sign_sgd as text } from '../shaders.gen.ts';

export type SignSgdParams = {
  batch: number;
  width: number;
  /** The identifier of the first of `rows`. */
  first: number;
  /** How many `rows` there are. */
  count: number;
};

export const signSgd: Kernel<SignSgdParams> = {
  name: 'sign_sgd',
  text,
  workgroups: ({ batch, width }, { GROUP }) => linearGrid(batch * width, GROUP),
  flops: ({ batch, width }) => 4 * batch * width,
  bytes: ({ batch, width }) => 12 * batch * width,
};

const IDENTIFIERS = 9;

export const check: KernelCheck<SignSgdParams> = {
  kernel: signSgd,
  cases: [
    { batch: 1, width: 1, first: 0, count: 9 },
    { batch: 12, width: 43, first: 2, count: 5 },
    { batch: 40, width: 64, first: 0, count: 9 },
    { batch: 40, width: 6, first: 7, count: 2 },
  ],
  // Few identifiers, so that most stand in the batch several times; a column whose gradients cancel to zero.
  inputs: ({ batch, width, count }, random) => ({
    identifiers: integerArray(random, batch, IDENTIFIERS),
    g: uniformArray(random, batch * width).map((value, i) => (i % width === 3 ? 0 : value)),
    rates: width === 64 ? Float32Array.of(0.01, 0) : Float32Array.of(0.1, 0.01),
    rows: uniformArray(random, count * width),
  }),
  hard: ({ batch, width }, random) => ({
    'sums that cancel': () => {
      const identifiers = integerArray(random, batch, IDENTIFIERS);
      const seen = new Map<number, number>();
      const g = new Float32Array(batch * width);
      for (const [row, identifier] of identifiers.entries()) {
        const turn = seen.get(identifier) ?? 0;
        seen.set(identifier, turn + 1);
        for (let column = 0; column < width; column++) {
          const small = (column % 2 === 0 ? 1 : -1) * 2 ** -14;
          g[row * width + column] = [1, small, -1][turn % 3];
        }
      }
      return { identifiers, g };
    },
  }),
  outputs: () => ({}),
  reference({ identifiers, g, rows, rates: [lr, decay] }, { batch, width, first, count }) {
    const after = Float64Array.from(rows);
    for (const identifier of new Set(identifiers)) {
      if (identifier < first || identifier >= first + count) continue;
      for (let column = 0; column < width; column++) {
        let sum = 0;
        for (let b = 0; b < batch; b++) if (identifiers[b] === identifier) sum += g[b * width + column];
        const at = (identifier - first) * width + column;
        after[at] = rows[at] * (1 - decay) - lr * Math.sign(sum);
      }
    }
    return { rows: after };
  },
  tolerance: () => 2 * UNIT_ROUNDOFF, // two products and a difference
};
