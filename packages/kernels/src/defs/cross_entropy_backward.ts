import { type KernelCheck, UNIT_ROUNDOFF, uniformArray } from '../checks/check.ts';
import { type Kernel, linearGrid } from '../kernel.ts';
import { cross_entropy_backward as text } from '../shaders.gen.ts';
import {
  type CrossEntropyParams,
  crossEntropyCases,
  crossEntropyInputs,
  IGNORED_LABEL,
} from './cross_entropy.ts';

export const crossEntropyBackward: Kernel<CrossEntropyParams> = {
  name: 'cross_entropy_backward',
  text,
  workgroups: ({ batch, labels_len, prefix }, { GROUP }) => linearGrid(batch * (labels_len + prefix), GROUP),
  flops: ({ batch, labels_len, vocab }) => 8 * batch * labels_len * vocab,
  bytes: ({ batch, labels_len, vocab }) => 8 * batch * labels_len * vocab,
};

export const check: KernelCheck<CrossEntropyParams> = {
  kernel: crossEntropyBackward,
  cases: crossEntropyCases,
  variants: [{ STABLEMAX: 'false' }],
  inputs(params, random) {
    const { logits, labels } = crossEntropyInputs(params, random);
    const count = new Uint32Array(params.batch);
    labels.forEach((label, i) => {
      if (label !== IGNORED_LABEL) count[Math.floor(i / params.labels_len)] += 1;
    });
    return { logits, labels, count, d_row: uniformArray(random, params.batch) };
  },
  hard: (params, random) => ({
    'logits up to 40': () => ({ logits: crossEntropyInputs(params, random, 30).logits }),
    'logits up to 10000': () => ({ logits: crossEntropyInputs(params, random, 1e4).logits }),
  }),
  outputs: ({ batch, labels_len, prefix, vocab }) => ({ d_logits: [batch * (labels_len + prefix), vocab] }),
  reference({ logits, labels, count, d_row }, { labels_len, prefix, vocab }, constants) {
    const softmax = constants.STABLEMAX === 'false';
    const d_logits = new Float64Array(logits.length);
    labels.forEach((label, i) => {
      if (label === IGNORED_LABEL) return;
      const row = Math.floor(i / labels_len);
      const first = (i + (row + 1) * prefix) * vocab;
      const x = [...logits.subarray(first, first + vocab)];
      const largest = Math.max(...x);
      const stable = (value: number) => (value < 0 ? 1 / (1 - value) : 1 + value);
      const weights = x.map((value) => (softmax ? Math.exp(value - largest) : stable(value)));
      const total = weights.reduce((a, b) => a + b);
      weights.forEach((weight, v) => {
        const slope = softmax ? 1 : 1 / (1 + Math.abs(x[v]));
        d_logits[first + v] = (d_row[row] / count[row]) * slope * (weight / total - (v === label ? 1 : 0));
      });
    });
    return { d_logits };
  },
  // exp, weighed by its result most off near 0; three divisions, not all of numbers near 1; a difference below 1.
  tolerance: (_, { exp, division }) => (exp(0) + 1.5 * division + 1) * UNIT_ROUNDOFF,
};
