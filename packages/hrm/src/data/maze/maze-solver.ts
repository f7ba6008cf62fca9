/** Shortest paths, for the labels of mazes that are made here. */

import { MAZE } from './maze.ts';
import { type MazeDistances, UNREACHED } from './maze-distances.ts';

/**
 * The maze with a shortest path from start to goal marked, or undefined if there is none. Among the shortest
 * paths it is the one that, seen from the start, always takes the first possible step of up, left, right, down.
 *
 * @param maze tokens with one start and one goal
 */
export function markShortestPath(maze: Uint8Array, distances: MazeDistances): Uint8Array | undefined {
  const { size, distance } = distances;
  const start = maze.indexOf(MAZE.start);
  const goal = maze.indexOf(MAZE.goal);
  distances.search(maze, goal);
  if (distance[start] === UNREACHED) return undefined;
  const marked = maze.slice();
  for (let cell = start; ; ) {
    const column = cell % size;
    const nearer = distance[cell] - 1;
    if (nearer === 0) return marked;
    if (cell >= size && distance[cell - size] === nearer) cell -= size;
    else if (column > 0 && distance[cell - 1] === nearer) cell -= 1;
    else if (column < size - 1 && distance[cell + 1] === nearer) cell += 1;
    else cell += size;
    marked[cell] = MAZE.path;
  }
}
