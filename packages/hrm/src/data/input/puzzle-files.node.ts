/** From files of puzzles to datasets of puzzles with one example each. Node only. */

import { UserError } from '@hrm-webgpu/core';
import type { BadRows } from '../dataset/bad-rows.ts';
import { type SplitWriter, type TokenFormat, writeDataset } from '../dataset/dataset-writer.node.ts';
import { PuzzleTable } from '../sudoku/puzzle-csv.ts';
import { breather } from './breather.node.ts';
import type { PuzzleExample } from './puzzle-example.ts';
import { readLines } from './text-lines.node.ts';

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
 * The examples of a list with one puzzle a line; blank lines and lines that begin with # are passed over.
 *
 * @param label makes an example of a line, or says what is wrong
 * @throws UserError for a file that cannot be read, and bad lines after the last one
 */
export function readPuzzleList(
  path: string,
  label: (text: string) => PuzzleExample | string,
  options: ReadOptions,
): AsyncGenerator<PuzzleExample> {
  return readRows(path, options, (line) => {
    const text = line.trim();
    return text === '' || text.startsWith('#') ? undefined : label(text);
  });
}

/** @param parse gives an example, undefined for a line without one, or what is wrong */
async function* readRows(
  path: string,
  { bad, signal, onProgress }: ReadOptions,
  parse: (line: string) => PuzzleExample | undefined | string,
): AsyncGenerator<PuzzleExample> {
  const breathe = breather(signal);
  for await (const { lines, first, bytes } of readLines(path)) {
    for (let i = 0; i < lines.length; i++) {
      const example = parse(lines[i]);
      if (typeof example === 'string') bad.add(first + i, example);
      else if (example && !bad.fatal) yield Object.assign(example, { line: first + i });
      if (await breathe())
        onProgress?.(first + i, (bytes.before + (bytes.these * i) / lines.length) / bytes.all);
    }
  }
  bad.check();
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
