import { integerArray, type KernelCheck, UNIT_ROUNDOFF, uniformArray } from '../checks/check.ts';
import { type Kernel, linearGrid, packFor } from '../kernel.ts';
import { input_embedding as text } from '../shaders.gen.ts';

export type InputEmbeddingParams = {
  batch: number;
  inputs_len: number;
  prefix: number;
  dim: number;
  puzzle_dim: number;
  scale: number;
  position_scale: number;
};

const seqLen = ({ inputs_len, prefix }: InputEmbeddingParams) => inputs_len + prefix;

export const inputEmbedding: Kernel<InputEmbeddingParams> = {
  name: 'input_embedding',
  text,
  constants({ dim }) {
    const { pack, width } = packFor(dim);
    return { pack, PACK: width };
  },
  workgroups: (params, { GROUP, PACK }) =>
    linearGrid((params.batch * seqLen(params) * params.dim) / PACK, GROUP),
  flops: (params) => params.batch * seqLen(params) * params.dim,
  bytes: (params) => 8 * params.batch * seqLen(params) * params.dim,
};

const VOCAB = 7;

/** e in float64; the arrays are those of the kernel's bindings. */
export function inputEmbeddingReference(
  inputs: ArrayLike<number>,
  tokens: ArrayLike<number>,
  puzzle: ArrayLike<number>,
  positions: ArrayLike<number>,
  params: InputEmbeddingParams,
): Float64Array {
  const { batch, inputs_len, prefix, dim, puzzle_dim, scale, position_scale } = params;
  const e = new Float64Array(batch * seqLen(params) * dim);
  for (let i = 0; i < e.length; i++) {
    const column = i % dim;
    const token = Math.floor(i / dim) % seqLen(params);
    const row = Math.floor(i / (dim * seqLen(params)));
    const at = token * dim + column;
    if (token >= prefix) e[i] = scale * tokens[inputs[row * inputs_len + token - prefix] * dim + column];
    else if (at < puzzle_dim) e[i] = scale * puzzle[row * puzzle_dim + at];
    if (position_scale !== 0) e[i] += position_scale * positions[at];
  }
  return e;
}

export const check: KernelCheck<InputEmbeddingParams> = {
  kernel: inputEmbedding,
  cases: [
    { batch: 1, inputs_len: 1, prefix: 0, dim: 2, puzzle_dim: 0, scale: 1.5, position_scale: 0 },
    { batch: 3, inputs_len: 5, prefix: 2, dim: 30, puzzle_dim: 43, scale: 5.5, position_scale: 3.9 },
    { batch: 4, inputs_len: 16, prefix: 1, dim: 32, puzzle_dim: 32, scale: 5.7, position_scale: 0 },
  ],
  inputs: ({ batch, inputs_len, prefix, dim, puzzle_dim, position_scale }, random) => ({
    inputs: integerArray(random, batch * inputs_len, VOCAB),
    tokens: uniformArray(random, VOCAB * dim),
    puzzle: uniformArray(random, Math.max(1, batch * puzzle_dim)),
    // A stand-in where they are not read.
    positions: uniformArray(random, position_scale === 0 ? 4 : (prefix + inputs_len) * dim),
  }),
  outputs: (params) => ({ e: [params.batch * seqLen(params), params.dim] }),
  reference: ({ inputs, tokens, puzzle, positions }, params) => ({
    e: inputEmbeddingReference(inputs, tokens, puzzle, positions, params),
  }),
  tolerance: () => 3 * UNIT_ROUNDOFF, // the scales' rounding to f32, two products, a sum
};
