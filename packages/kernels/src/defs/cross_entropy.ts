import type { Philox } from '@hrm-webgpu/core';
import { integerArray, type KernelCheck, UNIT_ROUNDOFF, uniformArray } from '../checks/check.ts';
import { type Kernel, linearGrid } from '../kernel.ts';
import { cross_entropy as text } from '../shaders.gen.ts';

export type CrossEntropyParams = { batch: number; labels_len: number; prefix: number; vocab: number };

/** The published names of HRM's losses. */
export type LossType = 'stablemax_cross_entropy' | 'softmax_cross_entropy';

export const IGNORED_LABEL = -100;

export const crossEntropy: Kernel<CrossEntropyParams> = {
  name: 'cross_entropy',
  text,
  workgroups: ({ batch, labels_len }, { GROUP }) => linearGrid(batch * labels_len, GROUP),
  flops: ({ batch, labels_len, vocab }) => 4 * batch * labels_len * vocab,
  bytes: ({ batch, labels_len, vocab }) => 4 * batch * labels_len * (vocab + 3),
};

/** Loss of one token in float64, from its logits. */
export function tokenLossReference(logits: ArrayLike<number>, label: number, type: LossType): number {
  const x = Array.from(logits);
  const largest = Math.max(...x);
  const log = x.map((value) => {
    if (type === 'softmax_cross_entropy') return value - largest;
    return value < 0 ? -Math.log1p(-value) : Math.log1p(value);
  });
  return Math.log(log.reduce((sum, value) => sum + Math.exp(value), 0)) - log[label];
}

export const crossEntropyCases: readonly CrossEntropyParams[] = [
  { batch: 1, labels_len: 1, prefix: 0, vocab: 1 },
  { batch: 3, labels_len: 23, prefix: 2, vocab: 11 },
  { batch: 5, labels_len: 16, prefix: 1, vocab: 7 },
];

/** Logits from flat to rather certain, ties among them; every fifth label ignored, and all of row 1. */
export function crossEntropyInputs(
  { batch, labels_len, prefix, vocab }: CrossEntropyParams,
  random: Philox,
  extent = 6,
) {
  const logits = uniformArray(random, batch * (labels_len + prefix) * vocab);
  const labels = integerArray(random, batch * labels_len, vocab);
  for (let i = 0; i < logits.length; i++) {
    const token = Math.floor(i / vocab);
    logits[i] *= [0, 0.1, 0.5, 1][token % 4] * extent;
    if (token % 8 === 7 && i % vocab === 0) logits[i] = 1.3 * extent;
  }
  for (let i = 0; i < labels.length; i++) {
    if (i % 5 === 4 || Math.floor(i / labels_len) === 1) labels[i] = IGNORED_LABEL;
  }
  return { logits, labels };
}

const ALMOST_CERTAIN = 'almost certain';

/** Labels with so large a logit that all others together have just below a hundredth of its weight, or less. */
function almostCertain(params: CrossEntropyParams, random: Philox) {
  const { labels_len, prefix, vocab } = params;
  const { logits, labels } = crossEntropyInputs(params, random);
  logits.fill(0);
  labels.forEach((label, i) => {
    const token = i + (Math.floor(i / labels_len) + 1) * prefix;
    if (label !== IGNORED_LABEL)
      logits[token * vocab + label] = Math.ceil((vocab - 1) / 0.0099) * (1 + 2 * (i % 3));
  });
  return { logits, labels };
}

export const check: KernelCheck<CrossEntropyParams> = {
  kernel: crossEntropy,
  cases: crossEntropyCases,
  inputs: crossEntropyInputs,
  hard: (params, random) => ({
    'logits up to 40': () => crossEntropyInputs(params, random, 30),
    'logits up to 10000': () => crossEntropyInputs(params, random, 1e4),
    [ALMOST_CERTAIN]: () => almostCertain(params, random),
  }),
  outputs: ({ batch, labels_len }) => ({ loss: [batch, labels_len], prediction: [batch, labels_len] }),
  integers: ['prediction'],
  reference({ logits, labels }, { labels_len, prefix, vocab }, constants) {
    const type = constants.STABLEMAX === 'false' ? 'softmax_cross_entropy' : 'stablemax_cross_entropy';
    const loss = new Float64Array(labels.length);
    const prediction = new Float64Array(labels.length);
    for (let i = 0; i < labels.length; i++) {
      const first = (i + (Math.floor(i / labels_len) + 1) * prefix) * vocab;
      const row = [...logits.subarray(first, first + vocab)];
      prediction[i] = row.indexOf(Math.max(...row));
      if (labels[i] !== IGNORED_LABEL) loss[i] = tokenLossReference(row, labels[i], type);
    }
    return { loss, prediction };
  },
  variants: [{ STABLEMAX: 'false' }],
  // What two logs are off, absolutely, and the rounding of their difference, against a largest loss of several units.
  // Where the series is summed: a division, and the roundings of a sum of ten equal terms, all alike, and of the series.
  tolerance: (_, { log, division }, hard) =>
    (hard === ALMOST_CERTAIN ? 3.5 + division : 1 + log / 3) * UNIT_ROUNDOFF,
};
