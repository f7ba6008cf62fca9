/**
 * Mazes with long shortest paths, made as those of Maze-Hard are: each cell is a wall at random, and mazes are
 * thrown away until one has a path that is long enough (Lehnert et al., "Beyond A*", 2024; Wang et al., 2025).
 */

import { type Philox, UserError } from '@hrm-webgpu/core';
import type { PuzzleExample } from '../input/puzzle-example.ts';
import { canonicalUnderDihedrals, MAZE } from './maze.ts';
import { MazeDistances } from './maze-distances.ts';
import { markShortestPath } from './maze-solver.ts';

/**
 * Shares of walls to draw from. Free cells stop to hang together above 0.41 walls (site percolation on the
 * square lattice); long ways round are found just before that: of 30×30 mazes about one in a hundred has one of
 * more than 110 steps at 0.38, one in a thousand at 0.30 and at 0.44.
 */
const WALLS = { least: 0.34, most: 0.42 };

/** Mazes thrown away in a row before a path that long counts as out of reach: some seconds at 30×30. */
const TRIES = 200_000;

/** Bounds the cells of all these mazes, so that large ones take no longer. */
const TRIED_CELLS = TRIES * 30 * 30;

/** Starts to try in a maze that has a path long enough. */
const STARTS = 100;

export class MazeGenerator {
  private readonly distances: MazeDistances;
  private readonly maze: Uint8Array;
  private readonly known = new Set<string>();

  /** @param minPath paths have more steps than this */
  constructor(
    readonly size: number,
    readonly minPath: number,
    private readonly random: Philox,
  ) {
    this.distances = new MazeDistances(size);
    this.maze = new Uint8Array(size * size);
  }

  /**
   * A maze and its shortest path, no dihedral transform of one made before.
   *
   * @param breathe awaited between attempts, which may take seconds together: can let other things happen, and stop
   * the search by throwing
   * @throws UserError if none turns up
   */
  async next(breathe: () => unknown = () => {}): Promise<PuzzleExample> {
    const tries = Math.min(TRIES, Math.ceil(TRIED_CELLS / this.maze.length));
    for (let attempt = 0; attempt < tries; attempt++) {
      await breathe();
      this.scatterWalls();
      if (!this.hasLongPath() || !this.placeEnds()) continue;
      const canonical = canonicalUnderDihedrals(this.maze);
      if (this.known.has(canonical)) continue;
      this.known.add(canonical);
      return { input: this.maze.slice(), label: markShortestPath(this.maze, this.distances)! };
    }
    throw new UserError(
      `maze: after ${this.known.size} mazes no new one of ${this.size}×${this.size} with a shortest path of more than ` +
        `${this.minPath} steps turned up in ${tries} tries. Lower --min-path, or ask for fewer or larger mazes.`,
    );
  }

  private scatterWalls(): void {
    const share = WALLS.least + (WALLS.most - WALLS.least) * this.random.uniform();
    // Sixteen bits a cell are plenty, and a word has two of them.
    const limit = Math.round(share * 0x10000);
    for (let cell = 0; cell < this.maze.length; cell += 2) {
      const word = this.random.nextU32();
      this.maze[cell] = (word & 0xffff) < limit ? MAZE.wall : MAZE.free;
      this.maze[cell + 1] = word >>> 16 < limit ? MAZE.wall : MAZE.free;
    }
  }

  /** Whether a long path is found from a random cell to the farthest one and on to the farthest from there. */
  private hasLongPath(): boolean {
    const from = this.random.below(this.maze.length);
    if (this.maze[from] === MAZE.wall) return false;
    const farthest = this.distances.search(this.maze, from).at(-1)!;
    const end = this.distances.search(this.maze, farthest).at(-1)!;
    return this.distances.distance[end] > this.minPath;
  }

  /** Puts start and goal at random where they are far enough apart; false if that fails. */
  private placeEnds(): boolean {
    const { distance } = this.distances;
    for (let attempt = 0; attempt < STARTS; attempt++) {
      const start = this.random.below(this.maze.length);
      if (this.maze[start] === MAZE.wall) continue;
      const reached = this.distances.search(this.maze, start);
      const far = reached.findIndex((cell) => distance[cell] > this.minPath);
      if (far < 0) continue;
      this.maze[reached[far + this.random.below(reached.length - far)]] = MAZE.goal;
      this.maze[start] = MAZE.start;
      return true;
    }
    return false;
  }
}
