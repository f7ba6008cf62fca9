/** The linear layers of a block of the full-size model: what nearly all of its arithmetic is. */

/** Tokens: 8 Sudoku grids of 81 cells, each with its puzzle position. */
export const BLOCK_TOKENS = 656;

/** [in, out] of qkv, o, gate and up, down. */
export const BLOCK_LAYERS = [
  [512, 1536],
  [512, 512],
  [512, 3072],
  [1536, 512],
] as const;
