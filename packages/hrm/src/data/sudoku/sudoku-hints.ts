/** Easier twins of Sudokus: the same solution with more of it given (the easier puzzles that are mixed in, arXiv 2601.10679). */

import type { Philox } from '@hrm-webgpu/core';
import type { PuzzleExample } from '../input/puzzle-example.ts';
import { BLANK_TOKEN } from './blank-token.ts';

/**
 * A copy of a puzzle of tokens with k more of its cells given, k uniform in {1 … blanks − 1} and the cells drawn at random;
 * undefined for a puzzle with fewer than two blanks, which has no easier one.
 */
export function easierTwin({ input, label }: PuzzleExample, random: Philox): PuzzleExample | undefined {
  const blanks = Uint8Array.from(input.keys()).filter((cell) => input[cell] === BLANK_TOKEN);
  if (blanks.length < 2) return undefined;
  const revealed = 1 + random.below(blanks.length - 1);
  random.shuffle(blanks);
  const easier = input.slice();
  for (const cell of blanks.subarray(0, revealed)) easier[cell] = label[cell];
  return { input: easier, label: label.slice() };
}
