/**
 * Datasets in the published form: a split (train, test) holds named sets; a set holds examples, cut into
 * puzzles (examples that share an identifier), cut into groups (a puzzle and its augmented copies).
 *
 * Everything here is in memory and runs anywhere; `dataset.node.ts` has the folders.
 */

import { UserError } from '@hrm-webgpu/core';
import { IGNORED_LABEL } from '@hrm-webgpu/kernels';
import { encodeNpy, type IntegerArray, parseNpy } from './npy.ts';

/** The label that is left out of losses and metrics. */
export { IGNORED_LABEL };

/** The puzzle that pads batches; also the identifier of puzzles that need none of their own. */
export const BLANK = { name: '<blank>', identifier: 0 };

/** `dataset.json`, keys as published. */
export interface DatasetMetadata {
  pad_id: number;
  /** The stored label that means {@link IGNORED_LABEL}; null if there is none. */
  ignore_label_id: number | null;
  blank_identifier_id: number;
  vocab_size: number;
  seq_len: number;
  num_puzzle_identifiers: number;
  total_groups: number;
  mean_puzzle_examples: number;
  sets: string[];
}

/** N examples of S tokens, as stored. */
export interface DatasetSet {
  /** [N · S] */
  inputs: IntegerArray;
  /** [N · S], with `ignore_label_id` where a label does not count. */
  labels: IntegerArray;
  /** [puzzles] */
  puzzleIdentifiers: Int32Array;
  /** [puzzles + 1]: puzzle p is examples puzzleIndices[p] … puzzleIndices[p + 1] − 1. */
  puzzleIndices: Int32Array;
  /** [groups + 1]: group g is puzzles groupIndices[g] … groupIndices[g + 1] − 1. */
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

/**
 * Reads and checks a split, wherever its files come from.
 *
 * @param folder what to call their folder in messages
 * @throws UserError as {@link parseMetadata}, {@link parseNpy} and {@link validateSplit} do
 */
export async function decodeSplit(readFile: ReadFile, folder: string): Promise<Split> {
  const metadata = parseMetadata(await readFile('dataset.json'), `${folder}/dataset.json`);
  const sets = new Map<string, DatasetSet>();
  for (const name of metadata.sets) {
    const read = async (array: keyof DatasetSet, columns?: number) => {
      const file = `${name}__${SET_FILES[array]}`;
      return checkedArray(await readFile(file), `${folder}/${file}`, columns);
    };
    sets.set(name, {
      inputs: await read('inputs', metadata.seq_len),
      labels: await read('labels', metadata.seq_len),
      puzzleIdentifiers: asInt32(await read('puzzleIdentifiers')),
      puzzleIndices: asInt32(await read('puzzleIndices')),
      groupIndices: asInt32(await read('groupIndices')),
    });
  }
  const split = { metadata, sets };
  validateSplit(split, folder);
  return split;
}

/**
 * Checks a split and yields its files one after the other, each as name and bytes: inputs and labels as
 * uint8, the rest as int32.
 *
 * @throws UserError as {@link validateSplit}, and for tokens that do not fit a byte
 */
export function* encodeSplit(split: Split): Generator<[file: string, bytes: Uint8Array<ArrayBuffer>]> {
  validateSplit(split);
  const { metadata } = split;
  for (const name of metadata.sets) {
    const set = split.sets.get(name)!;
    const rows = set.inputs.length / metadata.seq_len;
    for (const array of ['inputs', 'labels'] as const) {
      const file = `${name}__${SET_FILES[array]}`;
      yield [file, encodeNpy(asBytes(set[array], file, metadata.seq_len), [rows, metadata.seq_len])];
    }
    for (const array of ['puzzleIdentifiers', 'puzzleIndices', 'groupIndices'] as const) {
      yield [`${name}__${SET_FILES[array]}`, encodeNpy(set[array], [set[array].length])];
    }
  }
  yield ['dataset.json', new TextEncoder().encode(`${JSON.stringify(metadata, null, 2)}\n`)];
}

function checkedArray(bytes: Uint8Array<ArrayBuffer>, file: string, columns?: number): IntegerArray {
  const { shape, data } = parseNpy(bytes, file);
  const fits = columns === undefined ? shape.length === 1 : shape.length === 2 && shape[1] === columns;
  if (!fits) {
    const expected =
      columns === undefined ? 'one dimension' : `[examples, ${columns}] (seq_len of dataset.json)`;
    throw new UserError(`${file}: has the shape [${shape.join(', ')}], expected ${expected}.`);
  }
  return data;
}

function asInt32(data: IntegerArray): Int32Array {
  return data instanceof Int32Array ? data : Int32Array.from(data);
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

const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
const isPositive = (value: unknown) => Number.isSafeInteger(value) && (value as number) > 0;
/** A set's name becomes the start of a file's name, so it may not lead out of the folder. */
const isSetName = (value: unknown) => typeof value === 'string' && /^[\w-][\w.-]*$/.test(value);

const METADATA_KEYS: Record<keyof DatasetMetadata, [expected: string, test: (value: unknown) => boolean]> = {
  pad_id: ['an integer from 0', isCount],
  ignore_label_id: ['an integer or null', (value) => value === null || Number.isSafeInteger(value)],
  blank_identifier_id: ['an integer from 0', isCount],
  vocab_size: ['an integer from 1', isPositive],
  seq_len: ['an integer from 1', isPositive],
  num_puzzle_identifiers: ['an integer from 1', isPositive],
  total_groups: ['an integer from 0', isCount],
  mean_puzzle_examples: ['a number from 0', (value) => Number.isFinite(value) && (value as number) >= 0],
  sets: [
    'a list of one or more different names of letters, digits, _, - and .',
    (value) =>
      Array.isArray(value) &&
      value.length > 0 &&
      value.every(isSetName) &&
      new Set(value).size === value.length,
  ],
};

/**
 * Parses `dataset.json`; keys that are not of the format are dropped.
 *
 * @throws UserError for bad JSON and for keys that are missing or of the wrong type
 */
export function parseMetadata(bytes: Uint8Array, file: string): DatasetMetadata {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new UserError(`${file}: is not valid JSON (${(error as Error).message}). Build the dataset again.`);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new UserError(`${file}: expected an object with ${Object.keys(METADATA_KEYS).join(', ')}.`);
  }
  const entries = Object.entries(METADATA_KEYS).map(([key, [expected, test]]) => {
    const value = Object.hasOwn(json, key) ? (json as Record<string, unknown>)[key] : undefined;
    if (!test(value)) {
      const found = value === undefined ? 'is missing' : `is ${JSON.stringify(value)}`;
      throw new UserError(`${file}: ${key} ${found}, expected ${expected}.`);
    }
    return [key, value];
  });
  return Object.fromEntries(entries) as DatasetMetadata;
}

/**
 * Checks everything that training and evaluation rely on: lengths, offsets, tokens and identifiers.
 *
 * @param folder put in front of file names in messages
 * @throws UserError naming the first file and row that is wrong
 */
export function validateSplit(split: Split, folder = ''): void {
  const { metadata, sets } = split;
  const prefix = folder && `${folder}/`;
  for (const [key, limitKey] of [
    ['pad_id', 'vocab_size'],
    ['blank_identifier_id', 'num_puzzle_identifiers'],
  ] as const) {
    if (metadata[key] < metadata[limitKey]) continue;
    throw invalid(
      `${prefix}dataset.json`,
      `${key} ${metadata[key]}`,
      `less than ${limitKey} ${metadata[limitKey]}`,
    );
  }
  for (const name of metadata.sets) {
    const set = sets.get(name);
    if (!set)
      throw new UserError(`${prefix}dataset.json: names the set '${name}', which the split does not hold.`);
    validateSet(set, metadata, (array) => `${prefix}${name}__${SET_FILES[array]}`);
  }
}

type FileOf = (array: keyof DatasetSet) => string;

function validateSet(set: DatasetSet, metadata: DatasetMetadata, fileOf: FileOf) {
  const { vocab_size, seq_len, ignore_label_id } = metadata;
  const examples = Math.floor(set.inputs.length / seq_len);
  const puzzles = set.puzzleIdentifiers.length;
  const groups = Math.max(set.groupIndices.length - 1, 0);

  checkLength(set.inputs, examples * seq_len, `whole rows of seq_len ${seq_len}`, fileOf('inputs'));
  checkLength(set.labels, set.inputs.length, `as many as ${fileOf('inputs')}`, fileOf('labels'));
  checkLength(set.puzzleIndices, puzzles + 1, 'one more than puzzles', fileOf('puzzleIndices'));
  checkLength(set.groupIndices, groups + 1, 'one more than groups', fileOf('groupIndices'));
  checkOffsets(set.puzzleIndices, examples, 'examples', 0, fileOf('puzzleIndices'));
  // Training draws a puzzle of every group, so a group without puzzles is an error.
  checkOffsets(set.groupIndices, puzzles, 'puzzles', 1, fileOf('groupIndices'));

  const tokens = { limit: vocab_size, limitName: 'vocab_size', columns: seq_len };
  checkValues(set.inputs, { ...tokens, file: fileOf('inputs') });
  checkValues(set.labels, { ...tokens, file: fileOf('labels'), ignored: ignore_label_id });
  checkValues(set.puzzleIdentifiers, {
    limit: metadata.num_puzzle_identifiers,
    limitName: 'num_puzzle_identifiers',
    columns: 1,
    file: fileOf('puzzleIdentifiers'),
  });
}

function checkLength(data: IntegerArray, expected: number, why: string, file: string) {
  if (data.length !== expected) throw invalid(file, `${data.length} values`, `${expected} (${why})`);
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

interface ValueRule {
  /** Values run from 0 to limit − 1. */
  limit: number;
  limitName: string;
  columns: number;
  file: string;
  /** One more value that is allowed. */
  ignored?: number | null;
}

function checkValues(data: IntegerArray, { limit, limitName, columns, file, ignored = null }: ValueRule) {
  const wrong = data.findIndex((value) => (value < 0 || value >= limit) && value !== ignored);
  if (wrong >= 0) {
    const or = ignored === null ? '' : ` or ignore_label_id ${ignored}`;
    const expected = `0 to ${limit - 1} (${limitName} is ${limit})${or}`;
    throw invalid(`${file}, row ${Math.floor(wrong / columns)}`, data[wrong], expected);
  }
}

function invalid(place: string, found: number | string, expected: string): UserError {
  return new UserError(`${place}: holds ${found}, expected ${expected}. Build the dataset again.`);
}
