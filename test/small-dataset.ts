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
