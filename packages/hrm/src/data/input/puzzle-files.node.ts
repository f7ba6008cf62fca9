/** From files of puzzles to datasets of puzzles with one example each. Node only. */

import { UserError } from '@hrm-webgpu/core';
import type { BadRows } from '../dataset/bad-rows.ts';
import { type SplitWriter, type TokenFormat, writeDataset } from '../dataset/dataset-writer.node.ts';
import { PuzzleTable } from '../sudoku/puzzle-csv.ts';
import type { SudokuShape } from '../sudoku/sudoku.ts';
import { type FoundSudoku, SudokuLines } from '../sudoku/sudoku-text.ts';
import { breather } from './breather.node.ts';
import type { PuzzleExample } from './puzzle-example.ts';
import { type LineBlock, readLines } from './text-lines.node.ts';

export interface ReadOptions {
  /** Gets what is wrong; its `check` is called after the last row. */
  bad: BadRows;
  /** Stops at the next chance with its reason. */
  signal?: AbortSignal;
  /**
   * Called now and then.
   *
   * @param share of the file that is read, 0 … 1
   */
  onProgress?: (lines: number, share: number) => void;
}

/**
 * The examples of a published puzzle table, in order.
 *
 * @param parse makes an example of a question and its answer, or says what is wrong
 * @param minRating rows with a lower rating are left out
 * @throws UserError for a file that cannot be read, missing columns, and bad rows after the last one
 */
export async function* readPuzzleTable(
  path: string,
  parse: (question: string, answer: string) => PuzzleExample | string,
  minRating: number | undefined,
  options: ReadOptions,
): AsyncGenerator<PuzzleExample> {
  let table: PuzzleTable | undefined;
  yield* readRows(path, options, (line) => {
    if (!table) {
      table = new PuzzleTable(line, path, minRating !== undefined);
      return undefined;
    }
    const row = table.parse(line);
    if (typeof row === 'string') return row;
    return minRating !== undefined && row.rating < minRating ? undefined : parse(row.question, row.answer);
  });
}

/**
 * The examples of a list of Sudokus, in any form of {@link SudokuLines}.
 *
 * @param label makes an example of the cells of one, or says what is wrong
 * @throws UserError for a file that cannot be read, and bad lines after the last one
 */
export async function* readSudokuList(
  path: string,
  shape: SudokuShape,
  label: (cells: string) => PuzzleExample | string,
  { bad, signal, onProgress }: ReadOptions,
): AsyncGenerator<PuzzleExample> {
  const sudokus = new SudokuLines(shape);
  const breathe = breather(signal);
  function* examples(found: Iterable<FoundSudoku>): Generator<PuzzleExample> {
    for (const one of found) {
      const example = 'cells' in one ? label(one.cells) : one.problem;
      if (typeof example === 'string') bad.add(one.line, example);
      else if (!bad.fatal) yield Object.assign(example, { line: one.line });
    }
  }
  for await (const block of readLines(path)) {
    for (const [i, line] of block.lines.entries()) {
      for (const example of examples(sudokus.add(line, block.first + i))) {
        yield example;
        await breathe();
      }
      if (await breathe()) onProgress?.(block.first + i, shareOf(block, i));
    }
  }
  yield* examples(sudokus.end());
  bad.check();
}

/** @param parse gives an example, undefined for a line without one, or what is wrong */
async function* readRows(
  path: string,
  { bad, signal, onProgress }: ReadOptions,
  parse: (line: string) => PuzzleExample | undefined | string,
): AsyncGenerator<PuzzleExample> {
  const breathe = breather(signal);
  for await (const block of readLines(path)) {
    for (const [i, line] of block.lines.entries()) {
      const example = parse(line);
      if (typeof example === 'string') bad.add(block.first + i, example);
      else if (example && !bad.fatal) yield Object.assign(example, { line: block.first + i });
      if (await breathe()) onProgress?.(block.first + i, shareOf(block, i));
    }
  }
  bad.check();
}

/** The share of the file before the i-th line of a block. */
function shareOf({ bytes, lines }: LineBlock, i: number): number {
  return (bytes.before + (bytes.these * i) / lines.length) / bytes.all;
}

/**
 * The examples of a file that nothing is wrong with. For checks that take long: where examples are drawn from the
 * file, only those drawn are checked.
 *
 * @param fault what is wrong with an example
 * @throws UserError for bad rows after the last example
 */
export async function* checkedPuzzles(
  examples: PuzzleSplit['examples'],
  fault: (example: PuzzleExample) => string | undefined,
  { bad, signal }: Pick<ReadOptions, 'bad' | 'signal'>,
): AsyncGenerator<PuzzleExample> {
  const breathe = breather(signal);
  for await (const example of examples) {
    const problem = fault(example);
    if (problem !== undefined) bad.add(example.line!, problem);
    else if (!bad.fatal) yield example;
    await breathe();
  }
  bad.check();
}

export interface PuzzleSplit {
  examples: Iterable<PuzzleExample> | AsyncIterable<PuzzleExample>;
  /** Augmented copies of an example; each may be overwritten when the next is drawn. */
  copies?: (example: PuzzleExample) => Iterable<PuzzleExample>;
}

/**
 * Writes a dataset of puzzles of one example each, all with identifier 0. A group is an example and its copies,
 * in that order.
 *
 * @param splits by name
 * @param onProgress called now and then with the examples written so far
 * @returns the numbers of groups and examples of each split
 * @throws UserError for a split without examples, and as {@link writeDataset} does
 */
export async function writePuzzles(
  dir: string,
  format: TokenFormat,
  splits: Record<string, PuzzleSplit>,
  { signal, onProgress }: { signal?: AbortSignal; onProgress?: (examples: number) => void } = {},
): Promise<Record<string, { groups: number; examples: number }>> {
  const written: Record<string, { groups: number; examples: number }> = {};
  const breathe = breather(signal);
  const build = async (name: string, { examples, copies }: PuzzleSplit, split: SplitWriter) => {
    const counts = { groups: 0, examples: 0 };
    written[name] = counts;
    const add = async ({ input, label }: PuzzleExample) => {
      await split.addExample(input, label);
      await split.endPuzzle(0);
      counts.examples++;
      if (await breathe()) onProgress?.(counts.examples);
    };
    for await (const example of examples) {
      await add(example);
      if (copies) for (const copy of copies(example)) await add(copy);
      await split.endGroup();
      counts.groups++;
    }
    if (counts.groups === 0) {
      throw new UserError(`${dir}: there would be no puzzles in the split '${name}'. Nothing was written.`);
    }
  };
  await writeDataset(
    dir,
    async (dataset) => {
      for (const [name, split] of Object.entries(splits))
        await build(name, split, await dataset.split(name, format));
    },
    signal,
  );
  return written;
}
