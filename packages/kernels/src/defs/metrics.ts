import {
  integerArray,
  type KernelCheck,
  positiveSums,
  UNIT_ROUNDOFF,
  uniformArray,
} from '../checks/check.ts';
import type { Kernel } from '../kernel.ts';
import { metrics as text } from '../shaders.gen.ts';

export type MetricsParams = { batch: number };

/** The order of the sums in the kernel's output. */
export const METRIC_NAMES = [
  'count',
  'accuracy',
  'exact_accuracy',
  'q_halt_accuracy',
  'steps',
  'lm_loss',
  'q_halt_loss',
  'q_continue_loss',
] as const;

export const metrics: Kernel<MetricsParams> = {
  name: 'metrics',
  text,
  workgroups: () => [1, 1, 1],
  flops: ({ batch }) => 9 * batch,
  bytes: ({ batch }) => 36 * batch,
};

export const check: KernelCheck<MetricsParams> = {
  kernel: metrics,
  cases: [{ batch: 1 }, { batch: 65 }, { batch: 40_001 }], // more than half precision counts
  inputs: ({ batch }, random) => ({
    halted: Uint32Array.from(integerArray(random, batch, 2)),
    steps: Uint32Array.from(integerArray(random, batch, 17)),
    count: Uint32Array.from(integerArray(random, batch, 3)),
    correct: Uint32Array.from(integerArray(random, batch, 3)),
    q: uniformArray(random, 2 * batch).map((value, i) => (i % 5 === 0 ? 0 : value)),
    row_loss: uniformArray(random, batch).map(Math.abs),
    q_loss: uniformArray(random, 2 * batch).map(Math.abs),
  }),
  outputs: () => ({ metrics: [METRIC_NAMES.length] }),
  reference({ halted, steps, count, correct, q, row_loss, q_loss }, { batch }) {
    const sums = new Float64Array(METRIC_NAMES.length);
    for (let b = 0; b < batch; b++) {
      if (halted[b] && count[b] > 0) {
        const exact = correct[b] === count[b];
        sums[0] += 1;
        sums[1] += correct[b] / count[b];
        sums[2] += exact ? 1 : 0;
        sums[3] += q[2 * b] >= 0 === exact ? 1 : 0;
        sums[4] += steps[b];
      }
      sums[5] += row_loss[b];
      sums[6] += q_loss[2 * b];
      sums[7] += q_loss[2 * b + 1];
    }
    return { metrics: sums };
  },
  // Counts are exact. Of the losses' sums, a fifth of the largest sum where rows are many; of few it may happen that none is halted, so
  // that they are the largest, and off by up to 3 roundoffs (400 draws of 1 to 65 rows).
  tolerance: ({ batch }) =>
    Math.max(Math.min(Math.sqrt(batch), 3), positiveSums(batch, 3) / 5) * UNIT_ROUNDOFF,
};
