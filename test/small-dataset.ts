import { writeIdentifiers, writeSplit } from '../packages/hrm/src/data/dataset/dataset.node.ts';
import { sudokuShape } from '../packages/hrm/src/data/sudoku/sudoku.ts';
import { buildSudokuSplits } from '../packages/hrm/src/data/sudoku/sudoku-dataset.ts';

/** Writes a dataset of 4×4 Sudokus: 64 to train on, 32 to validate, 40 to test. */
export async function writeSmallDataset(folder: string): Promise<void> {
  const counts = { train: 64, validation: 32, test: 40 };
  const splits = buildSudokuSplits({ shape: sudokuShape(4), minBlanks: 4, maxBlanks: 8, seed: 1, ...counts });
  for (const [name, split] of Object.entries(splits)) await writeSplit(folder, name, split);
  await writeIdentifiers(folder, ['<blank>']);
}

/** Options of `hrm train` for a model that makes a step in no time. */
export const TINY = [
  ...['arch.hidden_size=32', 'arch.num_heads=2', 'arch.puzzle_emb_ndim=32', 'arch.halt_max_steps=2'],
  ...['arch.H_layers=1', 'arch.L_layers=1', 'global_batch_size=8'],
].flatMap((setting) => ['--set', setting]);
