import { integerArray, type KernelCheck, UNIT_ROUNDOFF, uniformArray } from '../check.ts';
import { type Kernel, linearGrid } from '../kernel.ts';

export type SignSgdParams = { batch: number; width: number; lr: number; decay: number };

export const signSgd: Kernel<SignSgdParams> = {
  name: 'sign_sgd',
  workgroups: ({ batch, width }, { GROUP }) => linearGrid(batch * width, GROUP),
  flops: ({ batch, width }) => 4 * batch * width,
  bytes: ({ batch, width }) => 12 * batch * width,
};

const IDENTIFIERS = 9;

export const check: KernelCheck<SignSgdParams> = {
  kernel: signSgd,
  cases: [
    { batch: 1, width: 1, lr: 0.1, decay: 0.01 },
    { batch: 12, width: 43, lr: 0.1, decay: 0.01 },
    { batch: 40, width: 64, lr: 0.01, decay: 0 },
  ],
  // Few identifiers, so that most stand in the batch several times; a column whose gradients cancel to zero.
  inputs: ({ batch, width }, random) => ({
    identifiers: integerArray(random, batch, IDENTIFIERS),
    g: uniformArray(random, batch * width).map((value, i) => (i % width === 3 ? 0 : value)),
    rows: uniformArray(random, IDENTIFIERS * width),
  }),
  outputs: () => ({}),
  reference({ identifiers, g, rows }, { batch, width, lr, decay }) {
    const after = Float64Array.from(rows);
    for (const identifier of new Set(identifiers)) {
      for (let column = 0; column < width; column++) {
        let sum = 0;
        for (let b = 0; b < batch; b++) if (identifiers[b] === identifier) sum += g[b * width + column];
        const at = identifier * width + column;
        after[at] = rows[at] * (1 - decay) - lr * Math.sign(sum);
      }
    }
    return { rows: after };
  },
  tolerance: () => 4 * UNIT_ROUNDOFF, // two products and a difference
};
