/** From a file with one example a line to a dataset. Node only. */

import { UserError } from '@hrm-webgpu/core';
import { type DatasetWriter, type TokenFormat, writeDataset } from '../dataset/dataset-writer.node.ts';
import { breather } from './breather.node.ts';
import {
  type JsonExample,
  type JsonGrid,
  type JsonHeader,
  parseJsonExample,
  parseJsonHeader,
} from './jsonl.ts';
import type { ReadOptions } from './puzzle-files.node.ts';
import { readLines } from './text-lines.node.ts';

/** The rectangle that all grids are put into, at its top left corner. */
export interface Canvas {
  rows: number;
  columns: number;
}

/** Past this attention alone would need days: larger grids are a mistake. */
const LARGEST_CANVAS = 16_384;

/** @throws UserError for a canvas of more cells than there may be */
export function checkCanvas({ rows, columns }: Canvas, place: string): void {
  if (rows * columns <= LARGEST_CANVAS) return;
  throw new UserError(
    `${place}: ${rows}×${columns} cells are more than ${LARGEST_CANVAS}. Cut the grids. Nothing was written.`,
  );
}

/** What a file holds. */
export interface JsonFile {
  header: JsonHeader;
  examples: JsonExample[];
}

/**
 * The examples of a JSON Lines file, in order; empty lines are passed over. The first line may be a header.
 *
 * @param limit grids that do not fit into it are bad
 * @throws UserError for a file that cannot be read, and after the last line for bad ones and for grids that no canvas
 * holds together
 */
export async function readJsonl(
  path: string,
  limit: Canvas | undefined,
  { bad, signal, onProgress }: ReadOptions,
): Promise<JsonFile> {
  const examples: JsonExample[] = [];
  let header: JsonHeader | undefined;
  const extent = new Extent();
  const breathe = breather(signal);
  for await (const { lines, first, bytes } of readLines(path)) {
    for (let i = 0; i < lines.length; i++) {
      if (await breathe())
        onProgress?.(first + i, (bytes.before + (bytes.these * i) / lines.length) / bytes.all);
      if (lines[i].trim() === '') continue;
      if (!header) {
        const found = parseJsonHeader(lines[i]);
        header = typeof found === 'object' ? found : {};
        if (typeof found === 'string') bad.add(first + i, found);
        if (found !== undefined) continue;
      }
      const example = parseJsonExample(lines[i]);
      const problem = typeof example === 'string' ? example : misfit(example, limit);
      if (problem !== undefined) {
        bad.add(first + i, problem);
        continue;
      }
      examples.push(example as JsonExample);
      extent.add(example as JsonExample, first + i);
    }
  }
  bad.check();
  if (!limit) extent.check(path);
  return { header: header ?? {}, examples };
}

function misfit({ input, output }: JsonExample, limit: Canvas | undefined): string | undefined {
  for (const [name, { rows, columns }] of Object.entries({ input, output })) {
    const size = `${name} is of ${rows} rows and ${columns} columns, more than`;
    if (limit && (rows > limit.rows || columns > limit.columns)) {
      return `${size} the ${limit.rows}×${limit.columns} asked for`;
    }
    if (rows * columns > LARGEST_CANVAS) return `${size} ${LARGEST_CANVAS} cells`;
  }
  return undefined;
}

/** The most rows and the most columns of grids, and where they are. */
class Extent {
  private readonly most = { rows: 0, columns: 0 };
  private readonly lines = { rows: 0, columns: 0 };

  add({ input, output }: JsonExample, line: number): void {
    for (const side of ['rows', 'columns'] as const) {
      const length = Math.max(input[side], output[side]);
      if (length <= this.most[side]) continue;
      this.most[side] = length;
      this.lines[side] = line;
    }
  }

  /** @throws UserError naming the lines, where the smallest canvas for all grids is too large */
  check(file: string): void {
    const { rows, columns } = this.most;
    const place = `${file}: the ${rows} rows of line ${this.lines.rows} and the ${columns} columns of line ${this.lines.columns}`;
    checkCanvas(this.most, place);
  }
}

export interface WriteJsonOptions {
  /** By default the smallest that all grids fit into. */
  canvas?: Canvas;
  /** What the grids mean, when their sizes are known; throws where they cannot. */
  meaning?: (sizes: { seq_len: number; vocab_size: number }) => Pick<TokenFormat, 'task' | 'symmetries'>;
  signal?: AbortSignal;
}

/** What {@link writeJsonl} wrote. */
export interface JsonDataset {
  canvas: Canvas;
  vocabSize: number;
  tasks: number;
  examples: Record<string, number>;
}

/**
 * Writes examples as a dataset: token = value + 1, padding 0, which as a label does not count. Examples of one
 * task are one puzzle with an identifier of its own (the same in both splits); one without a task is a puzzle by
 * itself with identifier 0. Each puzzle is a group.
 *
 * @throws UserError without training examples, for a huge canvas, and as {@link writeDataset} does
 */
export async function writeJsonl(
  dir: string,
  examples: JsonExample[],
  { canvas = smallestCanvas(examples), meaning = () => ({}), signal }: WriteJsonOptions = {},
): Promise<JsonDataset> {
  checkCanvas(canvas, dir);
  const { rows, columns } = canvas;
  const bySplit = (['train', 'test'] as const)
    .map((name) => ({ name, members: examples.filter(({ split }) => split === name) }))
    .filter(({ members }) => members.length > 0);
  if (bySplit[0]?.name !== 'train') {
    throw new UserError(`${dir}: there are no training examples. Nothing was written.`);
  }
  const largest = examples.reduce(
    (max, { input, output }) => Math.max(max, largestOf(input), largestOf(output)),
    0,
  );
  const sizes = { seq_len: rows * columns, vocab_size: largest + 2 };
  const format = { ...sizes, pad_id: 0, ignore_label_id: 0, ...meaning(sizes) };
  const identifiers = new Map<string, number>();
  await writeDataset(
    dir,
    async (dataset) => {
      const breathe = breather(signal);
      for (const { name, members } of bySplit) {
        const split = await dataset.split(name, format);
        for (const puzzle of puzzlesOf(members)) {
          for (const { input, output } of puzzle) {
            await split.addExample(onCanvas(input, canvas), onCanvas(output, canvas));
            await breathe();
          }
          await split.endPuzzle(await identifierOf(puzzle[0].task, identifiers, dataset));
          await split.endGroup();
        }
      }
    },
    signal,
  );
  const counts = bySplit.map(({ name, members }) => [name, members.length]);
  return {
    canvas,
    vocabSize: format.vocab_size,
    tasks: identifiers.size,
    examples: Object.fromEntries(counts),
  };
}

/** Examples by task, tasks and lone examples in the order in which they first appear. */
function puzzlesOf(examples: JsonExample[]): JsonExample[][] {
  const puzzles: JsonExample[][] = [];
  const byTask = new Map<string, JsonExample[]>();
  for (const example of examples) {
    const known = example.task === undefined ? undefined : byTask.get(example.task);
    if (known) {
      known.push(example);
      continue;
    }
    const puzzle = [example];
    puzzles.push(puzzle);
    if (example.task !== undefined) byTask.set(example.task, puzzle);
  }
  return puzzles;
}

async function identifierOf(
  task: string | undefined,
  identifiers: Map<string, number>,
  dataset: DatasetWriter,
): Promise<number> {
  if (task === undefined) return 0;
  const identifier = identifiers.get(task) ?? (await dataset.addIdentifier(task));
  identifiers.set(task, identifier);
  return identifier;
}

function smallestCanvas(examples: JsonExample[]): Canvas {
  const grids = examples.flatMap(({ input, output }) => [input, output]);
  return {
    rows: grids.reduce((max, { rows }) => Math.max(max, rows), 0),
    columns: grids.reduce((max, { columns }) => Math.max(max, columns), 0),
  };
}

function largestOf({ values }: JsonGrid): number {
  return values.reduce((max, value) => Math.max(max, value), 0);
}

function onCanvas(grid: JsonGrid, { rows, columns }: Canvas): Uint8Array {
  const tokens = new Uint8Array(rows * columns);
  for (let cell = 0; cell < grid.values.length; cell++) {
    const row = Math.floor(cell / grid.columns);
    tokens[row * columns + (cell % grid.columns)] = grid.values[cell] + 1;
  }
  return tokens;
}
