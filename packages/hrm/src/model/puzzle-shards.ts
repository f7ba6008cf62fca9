/** The table of puzzle rows, in shards of whole rows: that of ARC is larger than a binding may be. */

import { type Device, Tensor, UserError } from '@hrm-webgpu/core';
import { gatherRowsKernel, launch } from '@hrm-webgpu/kernels';
import type { ModelConfig } from './config.ts';

export interface PuzzleShard {
  /** [count, puzzle_emb_ndim] */
  rows: Tensor;
  /** The identifier of its first row. */
  first: number;
}

const FLOAT = 4;

/**
 * Shards for all rows of a model, with undefined contents; none for a model without puzzle rows.
 *
 * @param shardBytes the most bytes of a shard; default what one storage binding holds
 * @throws UserError when not even one row fits
 */
export function emptyShards(
  device: Device,
  { num_puzzle_identifiers, puzzle_emb_ndim }: ModelConfig,
  shardBytes = Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize),
): PuzzleShard[] {
  if (puzzle_emb_ndim === 0) return [];
  const rowsPerShard = Math.floor(shardBytes / (FLOAT * puzzle_emb_ndim));
  if (rowsPerShard === 0) {
    throw new UserError(`a puzzle row of ${puzzle_emb_ndim} numbers does not fit ${shardBytes} bytes`);
  }
  const shards: PuzzleShard[] = [];
  try {
    for (let first = 0; first < num_puzzle_identifiers; first += rowsPerShard) {
      const count = Math.min(rowsPerShard, num_puzzle_identifiers - first);
      shards.push({ rows: Tensor.empty(device, [count, puzzle_emb_ndim]), first });
    }
  } catch (error) {
    for (const { rows } of shards) rows.dispose();
    throw error;
  }
  return shards;
}

/**
 * Fills shards with the rows of the whole table, whole or in pieces.
 * @throws UserError when there are more or fewer numbers
 */
export async function writeShards(
  shards: readonly PuzzleShard[],
  data: Float32Array | AsyncIterable<Float32Array>,
): Promise<void> {
  const size = shards.reduce((sum, { rows }) => sum + rows.size, 0);
  const wrong = (found: number) =>
    new UserError(`the puzzle rows hold ${size} elements in ${shards.length} shards, got ${found}`);
  let [shard, offset, found] = [0, 0, 0];
  for await (const piece of data instanceof Float32Array ? [data] : data) {
    found += piece.length;
    if (found > size) throw wrong(found);
    for (let at = 0; at < piece.length; ) {
      const { rows } = shards[shard];
      const part = piece.subarray(at, at + rows.size - offset);
      rows.writeAt(offset, part);
      at += part.length;
      offset += part.length;
      if (offset < rows.size) continue;
      shard += 1;
      offset = 0;
    }
    await shards[0].rows.device.stream.ready();
  }
  if (found !== size) throw wrong(found);
}

/** The rows of a batch, [batch, puzzle_emb_ndim], for identifiers [batch]. */
export function gatherPuzzleRows(shards: readonly PuzzleShard[], identifiers: Tensor): Tensor {
  const batch = identifiers.shape[0];
  const width = shards[0].rows.shape[1];
  const y = Tensor.empty(identifiers.device, [batch, width]);
  for (const { rows, first } of shards) {
    const params = { batch, width, first, count: rows.shape[0] };
    launch(identifiers.device, gatherRowsKernel, { identifiers, table: rows, y }, params);
  }
  return y;
}
