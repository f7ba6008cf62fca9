/** Square mazes of walls and free cells: their published text form, tokens, distances and shortest paths. */

import { quoted } from '../../formats/quote.ts';
import { DIHEDRALS, transformSquare } from '../dihedral.ts';
import type { PuzzleExample } from '../input/puzzle-example.ts';

/** Cells as published; a cell's token is its index here + 1, padding is 0. */
const CHARACTERS = '# SGo';

/** Tokens: padding and one for each kind of cell. */
export const MAZE_VOCABULARY = CHARACTERS.length + 1;

export const MAZE = { wall: 1, free: 2, start: 3, goal: 4, path: 5 } as const;

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

/** The eight transforms of a maze, itself first. */
export function dihedralCopies({ input, label }: PuzzleExample): PuzzleExample[] {
  const size = Math.sqrt(input.length);
  return Array.from({ length: DIHEDRALS }, (_, id) => ({
    input: transformSquare(input, size, id),
    label: transformSquare(label, size, id),
  }));
}

/** A string that mazes share exactly if one is a dihedral transform of the other. */
export function canonicalUnderDihedrals(maze: Uint8Array): string {
  const size = Math.sqrt(maze.length);
  let least = '';
  for (let id = 0; id < DIHEDRALS; id++) {
    const text = String.fromCharCode(...transformSquare(maze, size, id));
    if (id === 0 || text < least) least = text;
  }
  return least;
}

/** The example of a maze and its given answer, or what is wrong with them. The path is checked, not its length. */
export function mazePair(size: number, question: string, answer: string): PuzzleExample | string {
  const input = parseMaze(size, question);
  if (typeof input === 'string') return `the question ${input}`;
  const label = parseMaze(size, answer);
  if (typeof label === 'string') return `the answer ${label}`;
  for (const [name, token] of [
    ['start S', MAZE.start],
    ['goal G', MAZE.goal],
  ] as const) {
    const count = input.reduce((sum, cell) => sum + (cell === token ? 1 : 0), 0);
    if (count !== 1) return `the question has the ${name} ${count} times, expected once`;
  }
  for (let cell = 0; cell < input.length; cell++) {
    const onPath = label[cell] === MAZE.path && input[cell] === MAZE.free;
    if (input[cell] !== label[cell] && !onPath) {
      const place = `row ${Math.floor(cell / size) + 1}, column ${(cell % size) + 1}`;
      return `the answer contradicts the question at ${place}: '${CHARACTERS[label[cell] - 1]}' where '${CHARACTERS[input[cell] - 1]}' is given`;
    }
  }
  const onlyPath = label.map((cell) => (cell === MAZE.free ? MAZE.wall : cell));
  const reached = new MazeDistances(size).search(onlyPath, input.indexOf(MAZE.start));
  if (!reached.includes(input.indexOf(MAZE.goal))) return 'the path of the answer does not lead from S to G';
  return { input, label };
}

/** The tokens of a maze written row by row, or what is wrong with it. */
function parseMaze(size: number, text: string): Uint8Array | string {
  if (text.length !== size * size) {
    return `has ${text.length} characters, expected ${size * size} for ${size}×${size}`;
  }
  const tokens = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const token = CHARACTERS.indexOf(text[i]) + 1;
    if (token === 0)
      return `has ${quoted(text[i])} as character ${i + 1}, expected one of ${quoted(CHARACTERS)}`;
    tokens[i] = token;
  }
  return tokens;
}
