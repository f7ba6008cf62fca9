import { Tensor, UserError } from '@hrm-webgpu/core';
import { inputEmbedding as forward } from '../defs/input_embedding.ts';
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
  const saved = [inputs];
  device.tape.record('inputEmbedding', parameters, e, saved, { vocab, prefix, puzzle_dim: puzzleDim, scale });
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
