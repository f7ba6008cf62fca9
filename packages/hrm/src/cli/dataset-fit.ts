/** Whether a split goes with a model: what of its dataset.json must agree with the model's sizes. */

import { join } from 'node:path';
import { UserError } from '@hrm-webgpu/core';
import type { DatasetMetadata } from '../data/dataset/dataset.ts';
import type { KnownConfig } from '../model/load.ts';
import { usualSeqLen } from '../tasks/tasks.ts';

/** What decides which data a model takes; without `seq_len` where its checkpoint does not tell. */
export type ModelSizes = Pick<
  KnownConfig,
  'vocab_size' | 'seq_len' | 'num_puzzle_identifiers' | 'puzzle_emb_ndim'
>;

/** The file that tells the sizes of a split, for messages. */
export function metadataFile(data: string, split: string): string {
  return join(data, split, 'dataset.json');
}

/**
 * Checks the split that a run evaluates on against the one that it trains on.
 *
 * @param trained its sizes are those of the model
 * @param files the dataset.json of each
 * @throws UserError naming both files and all that disagrees
 */
export function checkEvalSplit(
  evaluated: DatasetMetadata,
  trained: ModelSizes,
  files: { evaluated: string; trained: string },
): void {
  const wrong = disagreements(evaluated, trained);
  if (wrong.length === 0) return;
  throw new UserError(
    `${files.evaluated} does not go with ${files.trained}: ${wrong.join(', ')}. Build both splits together, or ` +
      'choose another with --eval-split NAME.',
  );
}

/**
 * Checks a split against the model of a checkpoint.
 *
 * @param file the split's dataset.json
 * @param path what the checkpoint is called in messages
 * @throws UserError naming all that disagrees
 */
export function checkModelFit(split: DatasetMetadata, model: ModelSizes, file: string, path: string): void {
  const { vocab_size } = model;
  // With RoPE a published checkpoint does not tell; the vocabulary may.
  const seq_len = model.seq_len ?? usualSeqLen(vocab_size);
  const wrong = disagreements(split, { ...model, seq_len });
  if (wrong.length === 0) return;
  const usual = seq_len === undefined ? '' : `; ${seq_len} is what goes with vocab_size ${vocab_size}`;
  const untold = model.seq_len === undefined ? ` (the checkpoint does not tell its seq_len${usual})` : '';
  throw new UserError(
    `${file} does not go with the model of ${path}: ${wrong.join(', ')}${untold}. Use the dataset that the model was ` +
      'made for.',
  );
}

/** In the order in which they matter: with another vocabulary or length it is another task. */
function disagreements(split: DatasetMetadata, model: ModelSizes): string[] {
  const found: string[] = [];
  for (const key of ['vocab_size', 'seq_len'] as const) {
    if (model[key] === undefined || split[key] === model[key]) continue;
    found.push(`${key} is ${split[key]} instead of ${model[key]}`);
  }
  const [ids, rows] = [split.num_puzzle_identifiers, model.num_puzzle_identifiers];
  // Without puzzle embeddings nobody looks at the identifiers.
  if (model.puzzle_emb_ndim > 0 && ids > rows) {
    found.push(`num_puzzle_identifiers is ${ids} instead of at most ${rows}`);
  }
  return found;
}
