import { Philox } from '@hrm-webgpu/core';
import { MazeGenerator } from '../data/maze/maze-generator.ts';

export interface RandomMazeOptions {
  /** Its shortest path has more steps than this. */
  minPath: number;
  /** The same seed gives the same maze. */
  seed: number;
  /** Awaited between attempts, which may take a second together where paths must be long: can let other things happen. */
  breathe?: () => unknown;
}

/**
 * A maze of `size` rows and columns with a way from S to G, its cells as in `MAZE`; made as `hrm data maze` makes them.
 *
 * @throws UserError if none turns up: so long a path hardly fits into so small a maze
 */
export async function randomMaze(
  size: number,
  { minPath, seed, breathe }: RandomMazeOptions,
): Promise<number[][]> {
  const { input } = await new MazeGenerator(size, minPath, new Philox(seed)).next(breathe);
  return Array.from({ length: size }, (_, row) => [...input.subarray(row * size, (row + 1) * size)]);
}
