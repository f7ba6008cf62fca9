/** Whether answers to mazes are paths, and shortest ones, whatever their labels say. */

import { MAZE } from './maze.ts';
import type { MazeDistances } from './maze-distances.ts';

export interface MazeVerdict {
  /** The marked cells connect the maze's start with its goal, and none of them is a wall. */
  valid: boolean;
  /** Valid, and as few cells are marked as a shortest path needs. */
  optimal: boolean;
  /** A wall is marked. */
  throughWalls: boolean;
  /** The answer shows another maze: a cell is neither as it was nor marked. */
  changedMaze: boolean;
}

/**
 * @param input [size · size] tokens
 * @param prediction [size · size] tokens; what is marked as path counts, and start and goal are those of the input
 * @param distances a searcher of this size
 */
export function checkMaze(
  input: ArrayLike<number>,
  prediction: ArrayLike<number>,
  distances: MazeDistances,
): MazeVerdict {
  const maze = Uint8Array.from(input);
  const marked = Array.from(prediction, (token) => token === MAZE.path);
  const throughWalls = marked.some((path, cell) => path && maze[cell] === MAZE.wall);
  const changedMaze = marked.some((path, cell) => !path && prediction[cell] !== maze[cell]);
  const start = maze.indexOf(MAZE.start);
  const goal = maze.indexOf(MAZE.goal);
  const isEnd = (cell: number) => cell === start || cell === goal;
  const way = maze.map((_, cell) => (marked[cell] || isEnd(cell) ? MAZE.free : MAZE.wall));
  const connected = start >= 0 && goal >= 0 && distances.search(way, start).includes(goal);
  const valid = connected && !throughWalls;
  if (!valid) return { valid, optimal: false, throughWalls, changedMaze };
  distances.search(maze, start);
  const cells = marked.filter((path, cell) => path && !isEnd(cell)).length;
  return { valid, optimal: cells === distances.distance[goal] - 1, throughWalls, changedMaze };
}
