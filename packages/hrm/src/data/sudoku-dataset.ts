/** Sudoku datasets made on the spot: small tasks to train on within minutes, and for tests. */

import { Philox, UserError } from '@hrm-webgpu/core';
import type { Split } from './dataset.ts';
import {
  canonicalUnderRelabelling,
  randomPuzzle,
  type SudokuPuzzle,
  type SudokuShape,
  sudokuTokens,
} from './sudoku.ts';

export interface SudokuDatasetOptions {
  shape: SudokuShape;
  /** Fewest blanks of a puzzle. */
  minBlanks: number;
  /** Most blanks of a puzzle. */
  maxBlanks: number;
  /** Puzzles in each split. */
  train: number;
  validation: number;
  test: number;
  seed: number;
}

export interface SudokuSplits {
  train: Split;
  validation: Split;
  test: Split;
}

/** A Philox stream; any number will do that nothing else takes. */
const PUZZLE_STREAM = 0x73756430;

/** Known puzzles in a row after which there are taken to be no new ones. */
const TRIES = 10_000;

/**
 * Makes puzzles with one solution each, every number of blanks from `minBlanks` to `maxBlanks` equally often.
 * No two of them, in one split or in two, are equal up to a renaming of the digits.
 *
 * Each puzzle is a group of its own with identifier 0, and every cell, givens too, is a label. The same seed
 * gives the same puzzles; test and validation do not depend on how large `train` is.
 *
 * @throws UserError for impossible options and if there are not that many different puzzles
 */
export function buildSudokuSplits(options: SudokuDatasetOptions): SudokuSplits {
  checkOptions(options);
  const random = new Philox(options.seed, PUZZLE_STREAM);
  const known = new Set<string>();
  const build = (count: number) => {
    const inputs = new Uint8Array(count * options.shape.cells);
    const labels = new Uint8Array(count * options.shape.cells);
    for (let i = 0; i < count; i++) {
      const blanks = options.minBlanks + (i % (options.maxBlanks - options.minBlanks + 1));
      const { puzzle, solution } = newPuzzle(options.shape, blanks, random, known);
      inputs.set(sudokuTokens(puzzle), i * options.shape.cells);
      labels.set(sudokuTokens(solution), i * options.shape.cells);
    }
    return sudokuSplit(options.shape, inputs, labels);
  };
  const test = build(options.test);
  const validation = build(options.validation);
  return { train: build(options.train), validation, test };
}

/** A puzzle that is not in `known`, and now is. */
function newPuzzle(shape: SudokuShape, blanks: number, random: Philox, known: Set<string>): SudokuPuzzle {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const made = randomPuzzle(shape, random, blanks);
    const canonical = canonicalUnderRelabelling(made.puzzle);
    if (!known.has(canonical)) {
      known.add(canonical);
      return made;
    }
  }
  throw new UserError(
    `sudoku dataset: after ${known.size} puzzles no new ${shape.size}×${shape.size} puzzle with ${blanks} blanks ` +
      `turned up in ${TRIES} tries. Ask for fewer puzzles or a wider range of blanks.`,
  );
}

function sudokuSplit(shape: SudokuShape, inputs: Uint8Array, labels: Uint8Array): Split {
  const count = inputs.length / shape.cells;
  const offsets = Int32Array.from({ length: count + 1 }, (_, i) => i);
  return {
    metadata: {
      pad_id: 0,
      ignore_label_id: 0,
      blank_identifier_id: 0,
      vocab_size: shape.size + 2,
      seq_len: shape.cells,
      num_puzzle_identifiers: 1,
      total_groups: count,
      mean_puzzle_examples: 1,
      sets: ['all'],
    },
    sets: new Map([
      [
        'all',
        {
          inputs,
          labels,
          puzzleIdentifiers: new Int32Array(count),
          puzzleIndices: offsets,
          groupIndices: offsets.slice(),
        },
      ],
    ]),
  };
}

function checkOptions({ shape, minBlanks, maxBlanks, train, validation, test }: SudokuDatasetOptions) {
  const isCount = (n: number) => Number.isSafeInteger(n) && n >= 0;
  if (!isCount(minBlanks) || !isCount(maxBlanks) || minBlanks > maxBlanks || maxBlanks > shape.cells) {
    throw new UserError(
      `sudoku dataset: ${minBlanks} to ${maxBlanks} blanks, expected integers from 0 to ${shape.cells} in ascending order.`,
    );
  }
  if (![train, validation, test].every(isCount)) {
    throw new UserError(
      `sudoku dataset: ${train}, ${validation} and ${test} puzzles to train, validate and test, expected integers from 0.`,
    );
  }
}
