/** Mazes in their published text form. */

import { quoted } from '../../formats/quote.ts';
import type { PuzzleExample } from '../input/puzzle-example.ts';
import { MAZE } from './maze.ts';
import { MazeDistances } from './maze-distances.ts';

/** Cells as published; a cell's token is its index here + 1. */
const CHARACTERS = '# SGo';

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
