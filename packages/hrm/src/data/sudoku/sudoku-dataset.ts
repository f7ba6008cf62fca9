/** Sudoku datasets made on the spot: small tasks to train on within minutes, and for tests. */

import { Philox, UserError } from '@hrm-webgpu/core';
import type { Split } from '../dataset/dataset.ts';
import { tokenRows } from '../dataset/token-rows.ts';
import type { PuzzleExample } from '../input/puzzle-example.ts';
import { canonicalUnderRelabelling, type SudokuPuzzle, type SudokuShape, sudokuTokens } from './sudoku.ts';
import { randomPuzzle } from './sudoku-generator.ts';

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
  const { shape, train, validation, test } = options;
  if (![train, validation, test].every(isCount)) {
    throw new UserError(
      `sudoku dataset: ${train}, ${validation} and ${test} puzzles to train, validate and test, expected integers from 0.`,
    );
  }
  const maker = new SudokuMaker(options);
  const build = (count: number) => {
    const inputs = new Uint8Array(count * shape.cells);
    const labels = new Uint8Array(count * shape.cells);
    let at = 0;
    for (const { input, label } of maker.make(count)) {
      inputs.set(input, at);
      labels.set(label, at);
      at += shape.cells;
    }
    return sudokuSplit(shape, inputs, labels);
  };
  const testSplit = build(test);
  const validationSplit = build(validation);
  return { train: build(train), validation: validationSplit, test: testSplit };
}

/** Makes puzzles with one solution each, no two of them equal up to a renaming of the digits. */
export class SudokuMaker {
  private readonly random: Philox;
  private readonly known = new Set<string>();

  /** @throws UserError for impossible numbers of blanks */
  constructor(
    private readonly options: Pick<SudokuDatasetOptions, 'shape' | 'minBlanks' | 'maxBlanks' | 'seed'>,
  ) {
    const { shape, minBlanks, maxBlanks, seed } = options;
    if (!isCount(minBlanks) || !isCount(maxBlanks) || minBlanks > maxBlanks || maxBlanks > shape.cells) {
      throw new UserError(
        `sudoku dataset: ${minBlanks} to ${maxBlanks} blanks, expected integers from 0 to ${shape.cells} in ascending order.`,
      );
    }
    this.random = new Philox(seed, PUZZLE_STREAM);
  }

  /**
   * `count` puzzles, every number of blanks equally often.
   *
   * @throws UserError if there are not that many different puzzles
   */
  *make(count: number): Generator<PuzzleExample> {
    const { shape, minBlanks, maxBlanks } = this.options;
    for (let i = 0; i < count; i++) {
      const blanks = minBlanks + (i % (maxBlanks - minBlanks + 1));
      const { puzzle, solution } = newPuzzle(shape, blanks, this.random, this.known);
      yield { input: sudokuTokens(puzzle), label: sudokuTokens(solution) };
    }
  }
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
      task: 'sudoku',
    },
    sets: new Map([
      [
        'all',
        {
          inputs: tokenRows(inputs, shape.cells),
          labels: tokenRows(labels, shape.cells),
          puzzleIdentifiers: new Int32Array(count),
          puzzleIndices: offsets,
          groupIndices: offsets.slice(),
        },
      ],
    ]),
  };
}

function isCount(n: number): boolean {
  return Number.isSafeInteger(n) && n >= 0;
}
