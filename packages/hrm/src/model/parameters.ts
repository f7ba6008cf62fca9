import { sizeOf } from '@hrm-webgpu/core';
import { type ModelConfig, puzzlePositions, swigluWidth } from './config.ts';

/** Tensors that are stored but never trained: the initial states. */
export const BUFFER_NAMES: readonly string[] = ['H_init', 'L_init'];

/** The puzzle rows: trained by sparse sign-SGD, unlike everything else. */
export const PUZZLE_ROWS = 'puzzle_emb.weights';

/** Whether a tensor is the weight [out, in] of a linear layer without bias. */
export function isLinear(name: string): boolean {
  return name.endsWith('_proj.weight') || name === 'lm_head.weight';
}

/** Every tensor of a model by its published name (the key after `…inner.`), with its shape. */
export function parameterShapes(config: ModelConfig): Map<string, readonly number[]> {
  const { hidden_size: dim, vocab_size, seq_len, puzzle_emb_ndim, num_puzzle_identifiers } = config;
  const width = swigluWidth(config);
  const shapes = new Map<string, readonly number[]>([['embed_tokens.embedding_weight', [vocab_size, dim]]]);
  if (config.pos_encodings === 'learned') {
    shapes.set('embed_pos.embedding_weight', [puzzlePositions(config) + seq_len, dim]);
  }
  shapes.set('lm_head.weight', [vocab_size, dim]);
  shapes.set('q_head.weight', [2, dim]);
  shapes.set('q_head.bias', [2]);
  if (puzzle_emb_ndim > 0) shapes.set(PUZZLE_ROWS, [num_puzzle_identifiers, puzzle_emb_ndim]);
  shapes.set('H_init', [dim]);
  shapes.set('L_init', [dim]);
  for (const level of ['H', 'L'] as const) {
    for (let i = 0; i < config[`${level}_layers`]; i++) {
      const layer = `${level}_level.layers.${i}`;
      shapes.set(`${layer}.self_attn.qkv_proj.weight`, [3 * dim, dim]);
      shapes.set(`${layer}.self_attn.o_proj.weight`, [dim, dim]);
      shapes.set(`${layer}.mlp.gate_up_proj.weight`, [2 * width, dim]);
      shapes.set(`${layer}.mlp.down_proj.weight`, [dim, width]);
    }
  }
  return shapes;
}

/** Bytes of a model's weights, of the transposed copies that the kernels read, and of what is trained densely. */
export function parameterBytes(config: ModelConfig) {
  const bytes = { weights: 0, transposed: 0, trained: 0 };
  for (const [name, shape] of parameterShapes(config)) {
    const size = 4 * sizeOf(shape);
    bytes.weights += size;
    if (isLinear(name)) bytes.transposed += size;
    if (name !== PUZZLE_ROWS && !BUFFER_NAMES.includes(name)) bytes.trained += size;
  }
  return bytes;
}
