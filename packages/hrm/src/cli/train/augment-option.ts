/** `--augment` of `hrm train`. */

import { type Philox, UserError } from '@hrm-webgpu/core';
import { relabelDigits } from '../../data/augment.ts';
import type { DatasetMetadata } from '../../data/dataset/dataset.ts';
import type { Batch } from '../../data/dataset/sampler.ts';
import { tasksThatFit } from '../../tasks/tasks.ts';
import type { Augmentation } from '../../training/steps.ts';
import { metadataFile } from '../dataset-fit.ts';

const SUDOKU_DIGITS = 'sudoku-digits';

/**
 * The augmentation with that name.
 *
 * @throws UserError for an unknown name, and where it would make nonsense of the data
 */
export function augmentationOf(
  name: string | null,
  data: string,
  metadata: DatasetMetadata,
): Augmentation | undefined {
  if (name === null) return undefined;
  if (name !== SUDOKU_DIGITS) throw new UserError(`--augment ${name}: unknown; there is ${SUDOKU_DIGITS}`);
  const { vocab_size, seq_len } = metadata;
  if (!tasksThatFit(metadata).includes('sudoku')) {
    throw new UserError(
      `--augment ${name}: ${metadataFile(data, 'train')} has vocab_size ${vocab_size} and seq_len ${seq_len}, which ` +
        'is no Sudoku (n·n tokens of n + 2 kinds, n = 4, 6 or 9). Leave --augment out.',
    );
  }
  const options = { firstDigitToken: 2, digits: vocab_size - 2, seqLen: seq_len };
  return (batch: Batch, random: Philox) => relabelDigits(batch, random, options);
}
