import { Tensor, UserError } from '@hrm-webgpu/core';
import { batchSum } from '../defs/batch_sum.ts';
import { embeddingBackward } from '../defs/embedding_backward.ts';
import { inputEmbedding as forward } from '../defs/input_embedding.ts';
import { scaledHead } from '../defs/scaled_head.ts';
import { launch } from '../kernel.ts';
import { expectShape } from './shapes.ts';

/** Puzzle rows of a batch: see {@link inputEmbedding}. */
interface Puzzle {
  /** [batch, puzzle_dim] */
  rows: Tensor;
  /** How many positions a row fills. */
  prefix: number;
  /** What their gradient goes by on the tape: a parameter [batch, puzzle_dim], whose contents are never read. */
  localRows: Tensor;
}

/** The pieces of HRM's input embedding; see `shaders/input_embedding.wgsl`. */
export interface InputEmbedding {
  /** Token ids [batch, seq_len], i32. */
  inputs: Tensor;
  /** [vocab, dim] */
  tokens: Tensor;
  puzzle?: Puzzle;
  /** Learned positions [prefix + seq_len, dim]. */
  positions?: Tensor;
}

/** 1/√2 as the published implementation has it. */
// biome-ignore lint/suspicious/noApproximativeNumericConstant: the published digits, not the nearest double
const POSITION_SCALE = 0.707106781;

/**
 * e [batch, prefix + seq_len, dim] = √dim · (puzzle rows in front of token rows); with learned positions
 * √dim · 0.707106781 · (… + positions). The gradient of the puzzle rows is that of `localRows`: one row per batch row,
 * not summed over equal identifiers.
 */
export function inputEmbedding({ inputs, tokens, puzzle, positions }: InputEmbedding): Tensor {
  const { device } = tokens;
  const [batch, inputsLen] = inputs.shape;
  const [vocab, dim] = tokens.shape;
  const prefix = puzzle?.prefix ?? 0;
  const seqLen = prefix + inputsLen;
  expectShape('inputEmbedding', 'the table of tokens', tokens, [undefined, undefined]);
  expectShape('inputEmbedding', 'the array of inputs', inputs, [undefined, undefined], 'i32');
  if (puzzle) checkPuzzle(puzzle, batch, dim);
  if (positions) expectShape('inputEmbedding', 'the table of positions', positions, [seqLen, dim]);
  const scale = Math.sqrt(dim) * (positions ? POSITION_SCALE : 1);
  const puzzleDim = puzzle?.rows.shape[1] ?? 0;
  const e = Tensor.empty(device, [batch, seqLen, dim]);
  launch(
    device,
    forward,
    // The kernel reads neither stand-in when prefix and position_scale are 0.
    { inputs, tokens, puzzle: puzzle?.rows ?? tokens, positions: positions ?? tokens, e },
    {
      batch,
      inputs_len: inputsLen,
      prefix,
      dim,
      puzzle_dim: puzzleDim,
      scale,
      position_scale: positions ? scale : 0,
    },
  );
  const parameters = [tokens, ...(puzzle ? [puzzle.localRows] : []), ...(positions ? [positions] : [])];
  device.tape.record('inputEmbedding', parameters, e, [inputs], (de) => {
    const gradients = [tokensGradient(de, inputs, vocab, prefix, scale)];
    if (puzzle) gradients.push(puzzleGradient(de, puzzleDim, scale));
    if (positions) gradients.push(positionsGradient(de, scale));
    return gradients;
  });
  return e;
}

function checkPuzzle({ rows, prefix, localRows }: Puzzle, batch: number, dim: number): void {
  expectShape('inputEmbedding', 'the array of puzzle rows', rows, [batch, undefined]);
  expectShape('inputEmbedding', 'localRows', localRows, rows.shape);
  if (rows.shape[1] <= prefix * dim) return;
  throw new UserError(
    `inputEmbedding: puzzle rows of ${rows.shape[1]} numbers do not fit ${prefix} positions of ${dim}`,
  );
}

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
