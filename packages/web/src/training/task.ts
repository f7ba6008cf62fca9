/** The task and the recipe of a run: 4×4 Sudokus as `npm run demo` makes and learns them. */
import {
  type Augmentation,
  buildSudokuSplits,
  type ModelConfig,
  preset,
  relabelDigits,
  type Split,
  sudokuGrid,
  sudokuShape,
  type TrainConfig,
} from 'hrm-webgpu';
import type { Settings } from './settings.ts';

const SHAPE = sudokuShape(4);

export interface TrainingTask {
  config: ModelConfig;
  train: TrainConfig;
  split: Split;
  heldOut: Split;
  augment: Augmentation;
}

/** @throws UserError when there are not that many different puzzles */
export function makeTask(settings: Settings): TrainingTask {
  const { puzzles, heldOut, minBlanks, maxBlanks, seed } = settings;
  const splits = buildSudokuSplits({
    ...{ shape: SHAPE, minBlanks, maxBlanks, seed },
    ...{ train: puzzles, validation: 0, test: heldOut },
  });
  const { seq_len, vocab_size, num_puzzle_identifiers } = splits.train.metadata;
  const { arch } = preset('demo-4x4');
  const digits = { firstDigitToken: 2, digits: SHAPE.size, seqLen: seq_len };
  return {
    config: { ...arch, seq_len, vocab_size, num_puzzle_identifiers },
    train: trainConfigOf(settings),
    split: splits.train,
    heldOut: splits.test,
    augment: (batch, random) => relabelDigits(batch, random, digits),
  };
}

/** The recipe; runs too short for its warm-up have one of a tenth of their length. */
function trainConfigOf({ lr, batch, seed, steps }: Settings): TrainConfig {
  const { train } = preset('demo-4x4');
  const lr_warmup_steps = Math.min(train.lr_warmup_steps, Math.ceil(steps / 10));
  return { ...train, lr, global_batch_size: batch, seed, lr_warmup_steps };
}

/** Held-out puzzles to look at. */
const SAMPLES = 4;

/** Which held-out puzzles are shown: from the fewest blanks to the most, since every number comes in its turn. */
export function sampleRows({ minBlanks, maxBlanks, heldOut }: Settings): number[] {
  const range = maxBlanks - minBlanks;
  const rows = Array.from({ length: SAMPLES }, (_, i) =>
    range < SAMPLES - 1 ? i : Math.round((i * range) / (SAMPLES - 1)),
  );
  return rows.filter((row) => row < heldOut);
}

/** Tokens as rows of digits. */
export function gridOf(tokens: ArrayLike<number>): number[][] {
  const digits = sudokuGrid(tokens);
  const { size } = SHAPE;
  return Array.from({ length: size }, (_, row) => [...digits.subarray(row * size, (row + 1) * size)]);
}
