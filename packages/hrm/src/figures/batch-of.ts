/** Grids of a caller's as the rows of a batch. */

import { UserError } from '@hrm-webgpu/core';
import { IGNORED_LABEL } from '../data/dataset/dataset.ts';
import type { Batch } from '../data/dataset/sampler.ts';
import type { ModelConfig } from '../model/config.ts';
import { encodeGrid, type Grid, type Task } from '../tasks/tasks.ts';

/**
 * A batch of a row for each grid, without labels: what `observe` and the measurements read.
 *
 * @param config the model's
 * @param task what the grids mean
 * @param puzzleIdentifier which puzzle row goes with the grids; default 0, the blank one
 * @throws UserError for no grids, for the first that the model cannot read, and for a puzzle row that is not there
 */
export function batchOf(
  config: Pick<ModelConfig, 'vocab_size' | 'seq_len' | 'num_puzzle_identifiers'>,
  task: Task,
  grids: readonly Grid[],
  puzzleIdentifier = 0,
): Batch {
  const { seq_len, num_puzzle_identifiers: identifiers } = config;
  if (grids.length === 0) throw new UserError('there is no grid to make a batch of');
  if (!Number.isInteger(puzzleIdentifier) || puzzleIdentifier < 0 || puzzleIdentifier >= identifiers) {
    throw new UserError(
      `puzzleIdentifier is ${puzzleIdentifier}, expected a whole number from 0 to ${identifiers - 1}`,
    );
  }
  const inputs = new Int32Array(grids.length * seq_len);
  grids.forEach((grid, row) => {
    inputs.set(encodeGrid(task, config, grid, `grid ${row}`), row * seq_len);
  });
  return {
    inputs,
    labels: new Int32Array(inputs.length).fill(IGNORED_LABEL),
    puzzleIdentifiers: new Int32Array(grids.length).fill(puzzleIdentifier),
    rows: grids.length,
  };
}
