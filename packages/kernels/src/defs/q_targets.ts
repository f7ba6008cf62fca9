import { integerArray, type KernelCheck, UNIT_ROUNDOFF, uniformArray } from '../checks/check.ts';
import { type Kernel, linearGrid } from '../kernel.ts';
import { q_targets as text } from '../shaders.gen.ts';

export type QTargetsParams = { batch: number; max_steps: number };

export const qTargets: Kernel<QTargetsParams> = {
  name: 'q_targets',
  text,
  workgroups: ({ batch }, { GROUP }) => linearGrid(batch, GROUP),
  flops: ({ batch }) => 4 * batch,
  bytes: ({ batch }) => 28 * batch,
};

export const check: KernelCheck<QTargetsParams> = {
  kernel: qTargets,
  cases: [
    { batch: 1, max_steps: 2 },
    { batch: 197, max_steps: 3 },
  ],
  inputs: ({ batch, max_steps }, random) => ({
    q_next: uniformArray(random, 2 * batch).map((value) => 8 * value),
    steps: Uint32Array.from(integerArray(random, batch, max_steps), (value) => value + 1),
    count: Uint32Array.from(integerArray(random, batch, 3)),
    correct: Uint32Array.from(integerArray(random, batch, 3)),
  }),
  outputs: ({ batch }) => ({ targets: [batch, 2] }),
  reference({ q_next, steps, count, correct }, { batch, max_steps }) {
    const targets = new Float64Array(2 * batch);
    for (let b = 0; b < batch; b++) {
      const halt = q_next[2 * b];
      const value = steps[b] >= max_steps ? halt : Math.max(halt, q_next[2 * b + 1]);
      targets[2 * b] = correct[b] === count[b] ? 1 : 0;
      targets[2 * b + 1] = 1 / (1 + Math.exp(-value));
    }
    return { targets };
  },
  // The sigmoid's slope of 1/4 times what exp is off, a sum, a division.
  tolerance: (_, { exp, division }) => (exp(1) / 4 + division + 0.5) * UNIT_ROUNDOFF,
};
