/** A puzzle of a dataset that a model is asked to think about. */
import type { Task } from 'hrm-webgpu';
import type { ModelInfo } from '../engine/api.ts';

export interface AskedPuzzle {
  grid: number[][];
  task: Task;
}

export const cellsOf = (grid: readonly (readonly number[])[]) =>
  grid.reduce((sum, row) => sum + row.length, 0);

/** What keeps a model from reading a puzzle, in a sentence. */
export function misfit(
  { task, seqLen }: Pick<ModelInfo, 'task' | 'seqLen'>,
  puzzle: AskedPuzzle,
): string | undefined {
  const cells = cellsOf(puzzle.grid);
  if (puzzle.task === task && (task === 'arc' || cells === seqLen)) return undefined;
  return `The puzzle of the dataset (${puzzle.task}, ${cells} cells) is not what this model reads (${task}, ${seqLen} cells). Drop a checkpoint that was trained on such puzzles.`;
}
