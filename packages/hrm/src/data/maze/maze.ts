/** Square mazes of walls and free cells: tokens and symmetries. */

import { DIHEDRALS, transformSquare } from '../dihedral.ts';
import type { PuzzleExample } from '../input/puzzle-example.ts';

/** Tokens; padding is 0. */
export const MAZE = { wall: 1, free: 2, start: 3, goal: 4, path: 5 } as const;

/** Padding and one token for each kind of cell. */
export const MAZE_VOCABULARY = 6;

/** The eight transforms of a maze, itself first. */
export function dihedralCopies({ input, label }: PuzzleExample): PuzzleExample[] {
  const size = Math.sqrt(input.length);
  return Array.from({ length: DIHEDRALS }, (_, id) => ({
    input: transformSquare(input, size, id),
    label: transformSquare(label, size, id),
  }));
}

/** A character for each byte. */
const characters = new TextDecoder('latin1');

/** A string that mazes share exactly if one is a dihedral transform of the other. */
export function canonicalUnderDihedrals(maze: Uint8Array): string {
  const size = Math.sqrt(maze.length);
  let least = '';
  for (let id = 0; id < DIHEDRALS; id++) {
    const text = characters.decode(transformSquare(maze, size, id));
    if (id === 0 || text < least) least = text;
  }
  return least;
}
