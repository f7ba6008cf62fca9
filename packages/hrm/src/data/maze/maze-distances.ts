/** How far cells of a maze are from each other. */

import { MAZE } from './maze.ts';

/** The distance of a cell that cannot be reached, and of walls. */
export const UNREACHED = -1;

/** Finds distances in mazes of one size; its memory is used again by every search. */
export class MazeDistances {
  /** Steps from the latest search's start to each cell, {@link UNREACHED} where there is no way. */
  readonly distance: Int32Array;
  private readonly queue: Int32Array;

  constructor(readonly size: number) {
    this.distance = new Int32Array(size * size);
    this.queue = new Int32Array(size * size);
  }

  /**
   * Breadth-first search from a cell.
   *
   * @param maze [size · size] tokens; all but walls can be walked on
   * @returns the cells reached, nearest first, `from` itself included; a view of the searcher's memory
   */
  search(maze: Uint8Array, from: number): Int32Array {
    const { size, distance, queue } = this;
    const last = distance.length - size;
    distance.fill(UNREACHED);
    distance[from] = 0;
    queue[0] = from;
    let end = 1;
    for (let at = 0; at < end; at++) {
      const cell = queue[at];
      const column = cell % size;
      for (let way = 0; way < 4; way++) {
        if (
          way === 0 ? cell < size : way === 1 ? column === 0 : way === 2 ? column === size - 1 : cell >= last
        )
          continue;
        const next = cell + (way === 0 ? -size : way === 1 ? -1 : way === 2 ? 1 : size);
        if (maze[next] === MAZE.wall || distance[next] !== UNREACHED) continue;
        distance[next] = distance[cell] + 1;
        queue[end++] = next;
      }
    }
    return queue.subarray(0, end);
  }
}
