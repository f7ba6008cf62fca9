import type { DatasetSet, Split } from '../../src/data/dataset.ts';

/**
 * A split of one set whose example e is [10e + 1, 10e + 2] with labels [e + 1, 0], 0 being ignored.
 *
 * @param groups for each group the sizes of its puzzles
 */
export function makeSplit(groups: number[][]): Split {
  const set = makeSet(groups);
  return {
    metadata: {
      pad_id: 7,
      ignore_label_id: 0,
      blank_identifier_id: 0,
      vocab_size: 256,
      seq_len: 2,
      num_puzzle_identifiers: 100,
      total_groups: groups.length,
      mean_puzzle_examples: set.inputs.length / 2 / set.puzzleIdentifiers.length,
      sets: ['all'],
    },
    sets: new Map([['all', set]]),
  };
}

/** Puzzle p has the identifier p + 1. */
export function makeSet(groups: number[][]): DatasetSet {
  const sizes = groups.flat();
  const examples = sizes.reduce((sum, size) => sum + size, 0);
  return {
    inputs: Uint8Array.from({ length: 2 * examples }, (_, i) => 10 * (i >> 1) + 1 + (i & 1)),
    labels: Uint8Array.from({ length: 2 * examples }, (_, i) => (i & 1 ? 0 : (i >> 1) + 1)),
    puzzleIdentifiers: Int32Array.from(sizes, (_, puzzle) => puzzle + 1),
    puzzleIndices: offsets(sizes),
    groupIndices: offsets(groups.map((group) => group.length)),
  };
}

function offsets(sizes: number[]): Int32Array {
  let sum = 0;
  return Int32Array.from([0, ...sizes.map((size) => (sum += size))]);
}
