/** Grids of tokens as lines of text for a terminal. */

import { sudokuGrid, sudokuShape } from '../../data/sudoku/sudoku.ts';
import { colours } from '../terminal.ts';
import type { Colour, GridKind } from './grid-kind.ts';
import { drawGrid } from './sudoku-view.ts';

/** Input and label side by side. */
export function drawPair(kind: GridKind, input: ArrayLike<number>, label: ArrayLike<number>): string[] {
  const pair = [draw(kind, input, input), draw(kind, label, input)];
  const height = Math.max(...pair.map(({ length }) => length));
  const widths = pair.map((lines) => Math.max(...lines.map(visibleWidth)));
  return Array.from({ length: height }, (_, i) =>
    pair
      .map((lines, side) => (lines[i] ?? '') + ' '.repeat(widths[side] - visibleWidth(lines[i] ?? '')))
      .join(i === Math.floor(height / 2) ? '  →  ' : '     ')
      .trimEnd(),
  );
}

/** One grid; `givens` are the tokens of the puzzle that it answers. */
export function draw(kind: GridKind, tokens: ArrayLike<number>, givens: ArrayLike<number>): string[] {
  if (kind.name === 'sudoku') {
    return drawGrid(sudokuShape(kind.columns), sudokuGrid(tokens), sudokuGrid(givens));
  }
  return colours && kind.colour ? halfBlocks(kind, tokens, kind.colour) : characters(kind, tokens);
}

/** Two rows a line: the upper one is the colour of the character, the lower one that of its background. */
function halfBlocks(
  { rows, columns }: GridKind,
  tokens: ArrayLike<number>,
  colour: (token: number) => Colour,
) {
  const lines: string[] = [];
  for (let row = 0; row < rows; row += 2) {
    let line = '';
    for (let column = 0; column < columns; column++) {
      const [red, green, blue] = colour(tokens[row * columns + column]);
      line += `\x1b[38;2;${red};${green};${blue}m`;
      line +=
        row + 1 < rows ? `\x1b[48;2;${colour(tokens[(row + 1) * columns + column]).join(';')}m` : '\x1b[49m';
      line += '▀';
    }
    lines.push(`${line}\x1b[0m`);
  }
  return lines;
}

function characters({ rows, columns, text, colour }: GridKind, tokens: ArrayLike<number>): string[] {
  const cells = Array.from(tokens, (token) => text(token));
  const width = Math.max(...cells.map(({ length }) => length));
  // Single characters of pictures stand close, numbers need a space between them.
  const gap = colour ? '' : ' ';
  return Array.from({ length: rows }, (_, row) =>
    cells
      .slice(row * columns, (row + 1) * columns)
      .map((cell) => cell.padStart(width))
      .join(gap),
  );
}

function visibleWidth(line: string): number {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is to be left out
  return line.replace(/\x1b\[[\d;]*m/g, '').length;
}
