import { type GradientRule, Tensor } from '@hrm-webgpu/core';
import { batchSum } from '../defs/batch_sum.ts';
import { embeddingBackward } from '../defs/embedding_backward.ts';
import { scaledHead } from '../defs/scaled_head.ts';
import { launch } from '../kernel.ts';

/** Of the table of tokens, then of the puzzle rows and the positions, where the op had them. */
export const inputEmbeddingGradient: GradientRule = (de, { needs, saved: [inputs], attributes }) => {
  const { vocab, prefix, puzzle_dim, scale } = attributes;
  const gradients = [tokensGradient(de, inputs, vocab, prefix, scale)];
  if (puzzle_dim > 0) gradients.push(puzzleGradient(de, puzzle_dim, scale));
  if (gradients.length < needs.length) gradients.push(positionsGradient(de, scale));
  return gradients;
};

function tokensGradient(de: Tensor, inputs: Tensor, vocab: number, prefix: number, scale: number): Tensor {
  const [batch, inputs_len] = inputs.shape;
  const dim = de.shape[2];
  const d_tokens = Tensor.empty(de.device, [vocab, dim]);
  launch(
    de.device,
    embeddingBackward,
    { inputs, de, d_tokens },
    { batch, inputs_len, prefix, dim, vocab, scale },
  );
  return d_tokens;
}

function puzzleGradient(de: Tensor, puzzleDim: number, scale: number): Tensor {
  const [batch, seqLen, dim] = de.shape;
  const y = Tensor.empty(de.device, [batch, puzzleDim]);
  launch(de.device, scaledHead, { x: de, y }, { batch, row_length: seqLen * dim, width: puzzleDim, scale });
  return y;
}

function positionsGradient(de: Tensor, scale: number): Tensor {
  const [batch, seqLen, dim] = de.shape;
  const y = Tensor.empty(de.device, [seqLen, dim]);
  launch(de.device, batchSum, { x: de, y }, { batch, length: seqLen * dim, scale });
  return y;
}
