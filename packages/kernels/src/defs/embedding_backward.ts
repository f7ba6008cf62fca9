import { integerArray, type KernelCheck, signedSum, UNIT_ROUNDOFF, uniformArray } from '../checks/check.ts';
import { type Kernel, linearGrid, packFor } from '../kernel.ts';
import { embedding_backward as text } from '../shaders.gen.ts';

export type EmbeddingBackwardParams = {
  batch: number;
  inputs_len: number;
  prefix: number;
  dim: number;
  vocab: number;
  scale: number;
};

export const embeddingBackward: Kernel<EmbeddingBackwardParams> = {
  name: 'embedding_backward',
  text,
  constants({ dim }) {
    const { pack, width } = packFor(dim);
    return { pack, PACK: width };
  },
  workgroups: ({ vocab, dim }, { GROUP, PACK }) => linearGrid((vocab * dim) / PACK, GROUP),
  flops: ({ batch, inputs_len, dim }) => batch * inputs_len * dim,
  bytes: ({ batch, inputs_len, dim, vocab }) => 4 * (batch * inputs_len + vocab) * dim,
};

export const check: KernelCheck<EmbeddingBackwardParams> = {
  kernel: embeddingBackward,
  cases: [
    { batch: 1, inputs_len: 1, prefix: 0, dim: 2, vocab: 3, scale: 1.5 },
    { batch: 3, inputs_len: 5, prefix: 2, dim: 30, vocab: 11, scale: 5.5 },
    { batch: 4, inputs_len: 16, prefix: 1, dim: 33, vocab: 6, scale: 5.7 },
    { batch: 2, inputs_len: 9, prefix: 1, dim: 36, vocab: 6, scale: 5.7 },
  ],
  inputs: ({ batch, inputs_len, prefix, dim, vocab }, random) => ({
    inputs: integerArray(random, batch * inputs_len, vocab),
    de: uniformArray(random, batch * (prefix + inputs_len) * dim),
  }),
  outputs: ({ vocab, dim }) => ({ d_tokens: [vocab, dim] }),
  reference({ inputs, de }, { batch, inputs_len, prefix, dim, vocab, scale }) {
    const d_tokens = new Float64Array(vocab * dim);
    for (let i = 0; i < batch * inputs_len; i++) {
      const row = Math.floor(i / inputs_len);
      const from = (i + (row + 1) * prefix) * dim;
      for (let j = 0; j < dim; j++) d_tokens[inputs[i] * dim + j] += scale * de[from + j];
    }
    return { d_tokens };
  },
  // A sum over the places of a token, the more common ones twice as many as the mean; the scale's rounding and its product.
  tolerance: ({ batch, inputs_len, vocab }) =>
    (2 + signedSum((2 * batch * inputs_len) / vocab)) * UNIT_ROUNDOFF,
};
