/** Rows of tokens, wherever they lie: in memory here, in a file in `token-file.node.ts`. */

import { UserError } from '@hrm-webgpu/core';
import type { IntegerArray } from './npy.ts';

/** N rows of S tokens, as stored. */
export interface TokenRows {
  /** N */
  readonly count: number;
  /** S */
  readonly columns: number;
  /**
   * The tokens of `count` rows (1 unless told otherwise) from the row `first`. Only to be looked at, and only until the
   * next call, which may overwrite them.
   *
   * @throws RangeError for rows that there are not; UserError for a file that cannot be read any more
   */
  read(first: number, count?: number): IntegerArray;
}

/**
 * Rows in memory. `tokens` are not copied.
 *
 * @param columns tokens in a row
 * @throws UserError if these are not whole rows
 */
export function tokenRows(tokens: IntegerArray, columns: number): TokenRows {
  const count = tokens.length / columns;
  if (!Number.isSafeInteger(count)) {
    throw new UserError(`tokens: ${tokens.length} values are no whole rows of ${columns}.`);
  }
  const rows = { count, columns };
  return {
    ...rows,
    read(first, count = 1) {
      checkRows(rows, first, count);
      return tokens.subarray(first * columns, (first + count) * columns);
    },
  };
}

/** @throws RangeError for rows that there are not */
export function checkRows({ count }: { count: number }, first: number, wanted: number): void {
  if (first >= 0 && wanted >= 0 && first + wanted <= count) return;
  throw new RangeError(`tokens: ${wanted} rows from row ${first}, but there are ${count} rows`);
}

/** @throws UserError for the shape of an array that does not hold rows of `columns` tokens */
export function checkTokenShape(shape: number[], columns: number, file: string): void {
  if (shape.length === 2 && shape[1] === columns) return;
  throw new UserError(
    `${file}: has the shape [${shape.join(', ')}], expected [examples, ${columns}] (seq_len of dataset.json).`,
  );
}

/** Tokens of a piece: read in a moment, and no burden to memory. */
const PIECE_TOKENS = 2 ** 20;

/** All rows, many at a time; each piece is overwritten by the next. */
export function* pieces(rows: TokenRows): Generator<{ first: number; tokens: IntegerArray }> {
  const most = Math.max(1, Math.floor(PIECE_TOKENS / rows.columns));
  for (let first = 0; first < rows.count; first += most) {
    yield { first, tokens: rows.read(first, Math.min(most, rows.count - first)) };
  }
}
