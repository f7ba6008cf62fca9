/**
 * Datasets in the published form: a split (train, test) holds named sets; a set holds examples, cut into
 * puzzles (examples that share an identifier), cut into groups (a puzzle and its augmented copies).
 *
 * Everything here runs anywhere; `dataset.node.ts` has the folders.
 */

import { UserError } from '@hrm-webgpu/core';
import { IGNORED_LABEL } from '@hrm-webgpu/kernels';
import { oneLine } from '../../formats/quote.ts';
import { type DatasetMetadata, parseMetadata } from './dataset-metadata.ts';
import { encodeNpy, type IntegerArray, parseNpy } from './npy.ts';
import { checkTokenShape, pieces, type TokenRows, tokenRows } from './token-rows.ts';

export type { DatasetMetadata };

/** The label that is left out of losses and metrics. */
export { IGNORED_LABEL };

/** The puzzle that pads batches; also the identifier of puzzles that need none of their own. */
export const BLANK = { name: '<blank>', identifier: 0 };

/** N examples of S tokens, as stored. */
export interface DatasetSet {
  inputs: TokenRows;
  /** With `ignore_label_id` where a label does not count. */
  labels: TokenRows;
  /** [puzzles] */
  puzzleIdentifiers: Int32Array;
  /** [puzzles + 1], offsets: puzzle p is examples puzzleIndices[p] … puzzleIndices[p + 1] − 1. */
  puzzleIndices: Int32Array;
  /** [groups + 1], offsets: group g is puzzles groupIndices[g] … groupIndices[g + 1] − 1. */
  groupIndices: Int32Array;
}

export interface Split {
  metadata: DatasetMetadata;
  /** By name, one for each of `metadata.sets`. */
  sets: Map<string, DatasetSet>;
}

/** The arrays of a set and what their files are called after `<set>__`. */
export const SET_FILES = {
  inputs: 'inputs.npy',
  labels: 'labels.npy',
  puzzleIdentifiers: 'puzzle_identifiers.npy',
  puzzleIndices: 'puzzle_indices.npy',
  groupIndices: 'group_indices.npy',
} as const satisfies Record<keyof DatasetSet, string>;

/** Gives the bytes of one file of a split's folder. */
export type ReadFile = (file: string) => Promise<Uint8Array<ArrayBuffer>>;

/** Opens a file of inputs or labels with so many columns. */
export type OpenRows = (file: string, columns: number) => TokenRows | Promise<TokenRows>;

export interface DecodeOptions {
  /** By default these files are read whole. */
  openRows?: OpenRows;
  /** Awaited now and then while the tokens are checked, which may take seconds. */
  breathe?: () => unknown;
}

/**
 * Reads and checks a split, wherever its files come from.
 *
 * @param folder what to call their folder in messages
 * @throws UserError as `parseMetadata`, `parseNpy` and `validateSplit` do
 */
export async function decodeSplit(
  readFile: ReadFile,
  folder: string,
  { openRows, breathe = () => {} }: DecodeOptions = {},
): Promise<Split> {
  const metadata = parseMetadata(await readFile('dataset.json'), `${folder}/dataset.json`);
  const parse = async (file: string) => parseNpy(await readFile(file), `${folder}/${file}`);
  const readWhole = async (file: string, columns: number) => {
    const { shape, data } = await parse(file);
    checkTokenShape(shape, columns, `${folder}/${file}`);
    return tokenRows(data, columns);
  };
  const readList = async (file: string) => {
    const { shape, data } = await parse(file);
    checkListShape(shape, `${folder}/${file}`);
    return data instanceof Int32Array ? data : Int32Array.from(data);
  };
  const sets = new Map<string, DatasetSet>();
  for (const name of metadata.sets) {
    const file = (array: keyof DatasetSet) => `${name}__${SET_FILES[array]}`;
    sets.set(name, {
      inputs: await (openRows ?? readWhole)(file('inputs'), metadata.seq_len),
      labels: await (openRows ?? readWhole)(file('labels'), metadata.seq_len),
      puzzleIdentifiers: await readList(file('puzzleIdentifiers')),
      puzzleIndices: await readList(file('puzzleIndices')),
      groupIndices: await readList(file('groupIndices')),
    });
  }
  const split = { metadata, sets };
  for (const _ of checks(split, folder)) await breathe();
  return split;
}

/**
 * Checks a split and yields its files one after the other, each as name and bytes: inputs and labels as
 * uint8, the rest as int32.
 *
 * @throws UserError as `validateSplit`, and for tokens that do not fit a byte
 */
export function* encodeSplit(split: Split): Generator<[file: string, bytes: Uint8Array<ArrayBuffer>]> {
  validateSplit(split);
  const { metadata } = split;
  for (const name of metadata.sets) {
    const set = split.sets.get(name)!;
    for (const array of ['inputs', 'labels'] as const) {
      const file = `${name}__${SET_FILES[array]}`;
      const { count, columns } = set[array];
      yield [file, encodeNpy(asBytes(set[array].read(0, count), file, columns), [count, columns])];
    }
    for (const array of ['puzzleIdentifiers', 'puzzleIndices', 'groupIndices'] as const) {
      yield [`${name}__${SET_FILES[array]}`, encodeNpy(set[array], [set[array].length])];
    }
  }
  yield ['dataset.json', new TextEncoder().encode(`${JSON.stringify(metadata, null, 2)}\n`)];
}

function checkListShape(shape: number[], file: string): void {
  if (shape.length === 1) return;
  throw new UserError(`${file}: has the shape [${shape.join(', ')}], expected one dimension.`);
}

function asBytes(data: IntegerArray, file: string, columns: number): Uint8Array {
  if (data instanceof Uint8Array) return data;
  const misfit = data.findIndex((value) => value < 0 || value > 255);
  if (misfit >= 0) {
    throw new UserError(
      `${file}, row ${Math.floor(misfit / columns)}: ${data[misfit]} does not fit a byte, and inputs and labels ` +
        'are written as bytes. Keep tokens and ignore_label_id within 0 to 255.',
    );
  }
  return Uint8Array.from(data);
}

/**
 * Checks everything that training and evaluation rely on: lengths, offsets, totals, tokens and identifiers.
 *
 * @param folder put in front of file names in messages
 * @throws UserError naming the first file and row that is wrong
 */
export function validateSplit(split: Split, folder = ''): void {
  for (const _ of checks(split, folder));
}

/** `validateSplit` in steps, each of which takes a moment at most. */
function* checks({ metadata, sets }: Split, folder: string): Generator<void> {
  const prefix = folder && `${folder}/`;
  const metadataFile = `${prefix}dataset.json`;
  for (const [key, limitKey] of [
    ['pad_id', 'vocab_size'],
    ['blank_identifier_id', 'num_puzzle_identifiers'],
  ] as const) {
    if (metadata[key] < metadata[limitKey]) continue;
    throw invalid(metadataFile, `${key} ${metadata[key]}`, `less than ${limitKey} ${metadata[limitKey]}`);
  }
  const fileOf = (name: string) => (array: keyof DatasetSet) => `${prefix}${name}__${SET_FILES[array]}`;
  for (const name of metadata.sets) {
    const set = sets.get(name);
    if (!set)
      throw new UserError(
        `${metadataFile}: names the set '${oneLine(name)}', which the split does not hold.`,
      );
    checkIndices(set, metadata, fileOf(name));
  }
  checkTotals({ metadata, sets }, metadataFile);
  for (const name of metadata.sets) yield* checkTokens(sets.get(name)!, metadata, fileOf(name));
}

type FileOf = (array: keyof DatasetSet) => string;

function checkIndices(set: DatasetSet, metadata: DatasetMetadata, fileOf: FileOf) {
  const { seq_len, num_puzzle_identifiers } = metadata;
  const { inputs, labels, puzzleIdentifiers, puzzleIndices, groupIndices } = set;
  const puzzles = puzzleIdentifiers.length;
  const groups = Math.max(groupIndices.length - 1, 0);

  for (const array of ['inputs', 'labels'] as const) {
    const { columns } = set[array];
    if (columns !== seq_len) throw invalid(fileOf(array), `rows of ${columns} tokens`, `seq_len ${seq_len}`);
  }
  checkLength(labels.count, inputs.count, 'rows', `as many as ${fileOf('inputs')}`, fileOf('labels'));
  const length = ({ length }: Int32Array, expected: number, why: string, file: string) =>
    checkLength(length, expected, 'values', why, file);
  length(puzzleIndices, puzzles + 1, 'one more than puzzles', fileOf('puzzleIndices'));
  length(groupIndices, groups + 1, 'one more than groups', fileOf('groupIndices'));
  checkOffsets(puzzleIndices, inputs.count, 'examples', 0, fileOf('puzzleIndices'));
  // Training draws a puzzle of every group, so a group without puzzles is an error.
  checkOffsets(groupIndices, puzzles, 'puzzles', 1, fileOf('groupIndices'));
  const identifiers = { limit: num_puzzle_identifiers, limitName: 'num_puzzle_identifiers' };
  checkValues(puzzleIdentifiers, { ...identifiers, columns: 1, first: 0, file: fileOf('puzzleIdentifiers') });
}

function checkLength(length: number, expected: number, things: string, why: string, file: string) {
  if (length !== expected) throw invalid(file, `${length} ${things}`, `${expected} (${why})`);
}

/** Offsets of parts of at least `smallest` things each, `total` in all. */
function checkOffsets(offsets: Int32Array, total: number, things: string, smallest: number, file: string) {
  if (offsets[0] !== 0) throw invalid(`${file}, row 0`, offsets[0], '0');
  for (let i = 1; i < offsets.length; i++) {
    const least = offsets[i - 1] + smallest;
    if (offsets[i] < least)
      throw invalid(`${file}, row ${i}`, offsets[i], `at least ${least} by the row before`);
  }
  const last = offsets.length - 1;
  if (offsets[last] !== total) {
    throw invalid(`${file}, row ${last}`, offsets[last], `${total}, the number of ${things}`);
  }
}

/** Published files may round. */
const MEAN_TOLERANCE = 0.01;

/** The totals of `dataset.json`, from which the length of a training is computed. */
function checkTotals({ metadata, sets }: Split, file: string) {
  const { total_groups, mean_puzzle_examples } = metadata;
  const total = (count: (set: DatasetSet) => number) =>
    metadata.sets.reduce((sum, name) => sum + count(sets.get(name)!), 0);
  const groups = total(({ groupIndices }) => groupIndices.length - 1);
  if (total_groups !== groups) {
    throw invalid(file, `total_groups ${total_groups}`, `${groups}, the number of groups in the arrays`);
  }
  const examples = total(({ inputs }) => inputs.count);
  const puzzles = total(({ puzzleIdentifiers }) => puzzleIdentifiers.length);
  // No puzzles have no mean.
  if (puzzles === 0) return;
  const mean = examples / puzzles;
  if (Math.abs(mean_puzzle_examples - mean) > MEAN_TOLERANCE * mean) {
    const expected = `${mean} (${examples} examples in ${puzzles} puzzles)`;
    throw invalid(file, `mean_puzzle_examples ${mean_puzzle_examples}`, expected);
  }
}

function* checkTokens(set: DatasetSet, metadata: DatasetMetadata, fileOf: FileOf): Generator<void> {
  const { vocab_size, ignore_label_id } = metadata;
  for (const array of ['inputs', 'labels'] as const) {
    const { columns } = set[array];
    const ignored = array === 'labels' ? ignore_label_id : null;
    const rule = { limit: vocab_size, limitName: 'vocab_size', ignored, columns, file: fileOf(array) };
    for (const { first, tokens } of pieces(set[array])) {
      checkValues(tokens, { ...rule, first });
      yield;
    }
  }
}

interface ValueRule {
  /** Values run from 0 to limit − 1. */
  limit: number;
  limitName: string;
  columns: number;
  /** The row of the first value. */
  first: number;
  file: string;
  /** One more value that is allowed. */
  ignored?: number | null;
}

function checkValues(data: IntegerArray, rule: ValueRule) {
  const { limit, limitName, columns, first, file, ignored = null } = rule;
  const wrong = findOutside(data, limit, ignored ?? 0); // 0 is allowed anyway
  if (wrong < 0) return;
  const or = ignored === null ? '' : ` or ignore_label_id ${ignored}`;
  const expected = `0 to ${limit - 1} (${limitName} is ${limit})${or}`;
  throw invalid(`${file}, row ${first + Math.floor(wrong / columns)}`, data[wrong], expected);
}

/**
 * The index of the first value that is neither of 0 … limit − 1 nor `other`; −1 if there is none. A plain loop, which
 * takes a tenth of what findIndex takes: there may be thousands of millions of values.
 */
function findOutside(data: IntegerArray, limit: number, other: number): number {
  const { length } = data;
  for (let i = 0; i < length; i++) {
    const value = data[i];
    if ((value < 0 || value >= limit) && value !== other) return i;
  }
  return -1;
}

function invalid(place: string, found: number | string, expected: string): UserError {
  return new UserError(`${place}: holds ${found}, expected ${expected}. Build the dataset again.`);
}
