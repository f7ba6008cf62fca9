import { integerArray, type KernelCheck, uniformArray } from '../checks/check.ts';
import { type Kernel, linearGrid } from '../kernel.ts';
import { act_step as text } from '../shaders.gen.ts';

export type ActStepParams = {
  batch: number;
  max_steps: number;
  /** 1 where rows may halt before max_steps, in training and on request in evaluation; else 0. */
  early: number;
  /** 1 where q_halt > 0 halts, whatever q_continue is; else 0. */
  no_continue: number;
  exploration: number;
};

export const actStep: Kernel<ActStepParams> = {
  name: 'act_step',
  text,
  workgroups: ({ batch }, { GROUP }) => linearGrid(batch, GROUP),
  flops: () => 0,
  bytes: ({ batch }) => 32 * batch,
};

export const check: KernelCheck<ActStepParams> = {
  kernel: actStep,
  cases: [
    { batch: 1, max_steps: 1, early: 1, no_continue: 0, exploration: 0.1 },
    { batch: 197, max_steps: 4, early: 1, no_continue: 0, exploration: 0 },
    { batch: 97, max_steps: 4, early: 1, no_continue: 0, exploration: 0.5 },
    { batch: 33, max_steps: 1, early: 1, no_continue: 0, exploration: 0.5 },
    { batch: 97, max_steps: 4, early: 0, no_continue: 0, exploration: 0.5 },
    { batch: 97, max_steps: 4, early: 1, no_continue: 1, exploration: 0.3 },
  ],
  // Some rows have equal q, some explore just at the threshold, and a minimum may be above max_steps.
  inputs: ({ batch, max_steps, exploration }, random) => ({
    q: uniformArray(random, 2 * batch).map((value, i, all) => (i % 14 === 1 ? all[i - 1] : value)),
    explore: uniformArray(random, batch).map((value, b) => (b % 11 === 3 ? exploration : Math.abs(value))),
    min_steps: Uint32Array.from(integerArray(random, batch, max_steps), (value) => value + 2),
    steps: Uint32Array.from(integerArray(random, batch, max_steps + 1)),
    halted: Uint32Array.from(integerArray(random, batch, 2)),
  }),
  outputs: () => ({}),
  integers: ['steps', 'halted'],
  reference({ q, explore, min_steps, steps, halted }, { batch, max_steps, early, no_continue, exploration }) {
    const after = Float64Array.from({ length: batch }, (_, b) => (halted[b] ? 0 : steps[b]) + 1);
    const halt = after.map((step, b) => {
      if (step >= max_steps && !early) return 1;
      if (!early || max_steps === 1) return step >= max_steps ? 1 : 0;
      const minimum = explore[b] < exploration ? min_steps[b] : 0;
      return (step >= max_steps || q[2 * b] > (no_continue ? 0 : q[2 * b + 1])) && step >= minimum ? 1 : 0;
    });
    return { steps: after, halted: halt };
  },
  tolerance: () => 0,
};
