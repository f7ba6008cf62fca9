/** Augmentation of batches as they are drawn, for data that is not augmented on disk. */

import type { Philox } from '@hrm-webgpu/core';
import type { Batch } from './dataset/sampler.ts';

export interface DigitTokens {
  /** The token of digit 1; the others follow. */
  firstDigitToken: number;
  digits: number;
  seqLen: number;
}

/**
 * Renames the digits of a Sudoku batch in place: each row by its own random permutation, inputs and labels
 * alike. Tokens that are no digits (pad, blank, the ignored label) and padding rows stay.
 */
export function relabelDigits(
  batch: Batch,
  random: Philox,
  { firstDigitToken, digits, seqLen }: DigitTokens,
): void {
  const renamed = Int32Array.from({ length: digits }, (_, digit) => digit);
  for (let row = 0; row < batch.rows; row++) {
    random.shuffle(renamed);
    for (const tokens of [batch.inputs, batch.labels]) {
      for (let i = row * seqLen; i < (row + 1) * seqLen; i++) {
        const digit = tokens[i] - firstDigitToken;
        if (digit >= 0 && digit < digits) tokens[i] = firstDigitToken + renamed[digit];
      }
    }
  }
}
