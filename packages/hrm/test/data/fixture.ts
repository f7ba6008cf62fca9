import type { DatasetSet, Split } from '../../src/data/dataset/dataset.ts';
import type { IntegerArray } from '../../src/data/dataset/npy.ts';
import { type TokenRows, tokenRows } from '../../src/data/dataset/token-rows.ts';

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
      mean_puzzle_examples: set.inputs.count / set.puzzleIdentifiers.length,
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
    inputs: rows(examples, (example, i) => 10 * example + 1 + i),
    labels: rows(examples, (example, i) => (i === 1 ? 0 : example + 1)),
    puzzleIdentifiers: Int32Array.from(sizes, (_, puzzle) => puzzle + 1),
    puzzleIndices: offsets(sizes),
    groupIndices: offsets(groups.map((group) => group.length)),
  };
}

/** All tokens of rows. */
export function tokensOf(rows: TokenRows): IntegerArray {
  return rows.read(0, rows.count).slice();
}

/** The tokens of rows, row by row. */
export function rowsOf(rows: TokenRows): number[][] {
  return Array.from({ length: rows.count }, (_, row) => [...rows.read(row)]);
}

/** Rows of two tokens. */
function rows(count: number, token: (row: number, column: number) => number): TokenRows {
  return tokenRows(
    Uint8Array.from({ length: 2 * count }, (_, i) => token(i >> 1, i & 1)),
    2,
  );
}

function offsets(sizes: number[]): Int32Array {
  let sum = 0;
  return Int32Array.from([0, ...sizes.map((size) => (sum += size))]);
}
