/** `dataset.json`: what the tokens of a split mean, and how many there are of everything. */

import { UserError } from '@hrm-webgpu/core';
import { parseJson } from '../../formats/json.ts';
import { faultIn, isCount, isPositive, isRecord, type Rules } from '../../formats/record-rules.ts';
import { type DeclaredSymmetry, faultOfSymmetries } from './declared-symmetries.ts';
import { TASKS, type Task } from './task-names.ts';

/** `dataset.json`, keys as published. */
export interface DatasetMetadata {
  pad_id: number;
  /** The stored label that means `IGNORED_LABEL`; null if there is none. */
  ignore_label_id: number | null;
  blank_identifier_id: number;
  vocab_size: number;
  seq_len: number;
  num_puzzle_identifiers: number;
  total_groups: number;
  mean_puzzle_examples: number;
  sets: string[];
  /** What the grids mean; published files do not say. */
  task?: Task;
  /** Symmetries that own data declare. */
  symmetries?: DeclaredSymmetry[];
}

/** What data say of their grids, and checkpoints of those that they were trained on. */
export type Meaning = Pick<DatasetMetadata, 'task' | 'symmetries'>;

/** A set's name becomes the start of a file's name, so it may not lead out of the folder. */
const isSetName = (value: unknown) => typeof value === 'string' && /^[\w-][\w.-]*$/.test(value);

const METADATA_RULES: Rules<keyof DatasetMetadata> = {
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
  task: [
    `one of ${TASKS.join(', ')}`,
    (value) => value === undefined || (TASKS as readonly unknown[]).includes(value),
  ],
  // What they say is checked when the sizes are known.
  symmetries: ['a list', () => true],
};

/**
 * Parses `dataset.json`; keys that are not of the format are dropped.
 *
 * @throws UserError for bad JSON and for keys that are missing or of the wrong type
 */
export function parseMetadata(bytes: Uint8Array, file: string): DatasetMetadata {
  let json: unknown;
  try {
    json = parseJson(new TextDecoder().decode(bytes));
  } catch (error) {
    throw new UserError(`${file}: is not valid JSON (${(error as Error).message}). Build the dataset again.`);
  }
  if (!isRecord(json)) {
    throw new UserError(`${file}: expected an object with ${Object.keys(METADATA_RULES).join(', ')}.`);
  }
  const fault = faultIn(json, METADATA_RULES);
  if (fault) throw new UserError(`${file}: ${fault}.`);
  const known = Object.keys(METADATA_RULES).filter((key) => json[key] !== undefined);
  const metadata = Object.fromEntries(known.map((key) => [key, json[key]])) as unknown as DatasetMetadata;
  const { symmetries, seq_len, vocab_size } = metadata;
  const problem = symmetries && faultOfSymmetries(symmetries, { seq_len, vocab_size });
  if (problem) throw new UserError(`${file}: ${problem}.`);
  return metadata;
}
