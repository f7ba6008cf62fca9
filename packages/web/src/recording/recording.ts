/** A thought that was recorded, for who has no GPU to think with. */
import type { GuessOutcome, ModelInfo, PuzzleGrid, Segment } from '../engine/api.ts';
import type { Look } from '../inside/measure.ts';

export interface Recording {
  /** The GPU or what stood in for it. */
  adapter: string;
  /** The file of the weights, without its ending. */
  model: string;
  info: ModelInfo;
  grid: PuzzleGrid;
  segments: Segment[];
  outcome: GuessOutcome;
  look: Look;
}

/** The one that comes with the page, fetched when it is asked for. */
export async function loadRecording(): Promise<Recording> {
  const { default: recording } = await import('./sudoku-6x6.json');
  return recording as unknown as Recording; // which its test holds it to
}
