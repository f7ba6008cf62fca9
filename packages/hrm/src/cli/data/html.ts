/** Examples of a dataset as one HTML page that needs nothing else. */

import { sudokuShape } from '../../data/sudoku/sudoku.ts';
import type { GridKind } from '../grids/grid-kind.ts';

export interface ShownExample {
  title: string;
  kind: GridKind;
  input: ArrayLike<number>;
  label: ArrayLike<number>;
}

/** Pixels of a cell. */
const CELL = 14;
const TEXT_CELL = 24;

/** @param summary lines of text to begin with */
export function datasetPage(title: string, summary: string[], examples: ShownExample[]): string {
  const figures = examples.map(
    ({ title, kind, input, label }) =>
      `<figure><figcaption>${escaped(title)}</figcaption>${svg(kind, input)}${svg(kind, label, input)}</figure>`,
  );
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${escaped(title)}</title>
<style>
  body { font: 15px system-ui, sans-serif; margin: 2rem; color: #222; background: #fff; }
  figure { display: inline-block; margin: 0 2rem 2rem 0; }
  figcaption { margin-bottom: .4rem; color: #666; }
  svg { margin-right: 1rem; }
  text { font: 14px ui-monospace, monospace; text-anchor: middle; dominant-baseline: central; }
  .given { font-weight: bold; }
</style>
<h1>${escaped(title)}</h1>
<pre>${escaped(summary.join('\n'))}</pre>
${figures.join('\n')}
</html>
`;
}

/** @param givens cells that are the same in here stand out */
function svg(kind: GridKind, tokens: ArrayLike<number>, givens = tokens): string {
  const { rows, columns, colour } = kind;
  const cell = colour ? CELL : TEXT_CELL;
  const shapes: string[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const [x, y] = [(i % columns) * cell, Math.floor(i / columns) * cell];
    if (colour) {
      shapes.push(`<path fill="rgb(${colour(tokens[i])})" d="M${x} ${y}h${cell}v${cell}h-${cell}z"/>`);
    } else {
      const given = tokens[i] === givens[i] ? ' class="given"' : '';
      const [centreX, centreY] = [x + cell / 2, y + cell / 2];
      shapes.push(`<text x="${centreX}" y="${centreY}"${given}>${escaped(kind.text(tokens[i]))}</text>`);
    }
  }
  const [width, height] = [columns * cell, rows * cell];
  const size = `width="${width + 2}" height="${height + 2}" viewBox="-1 -1 ${width + 2} ${height + 2}"`;
  return `<svg ${size}>${shapes.join('')}${colour ? '' : lines(kind, cell)}</svg>`;
}

/** The lines between cells, bold between the boxes of a Sudoku. */
function lines({ name, rows, columns }: GridKind, cell: number): string {
  const box = name === 'sudoku' ? sudokuShape(columns) : { boxRows: rows, boxColumns: columns };
  const line = (bold: boolean, d: string) => `<path stroke="${bold ? '#222' : '#ccc'}" d="${d}"/>`;
  const horizontal = Array.from({ length: rows + 1 }, (_, row) =>
    line(row % box.boxRows === 0, `M0 ${row * cell}h${columns * cell}`),
  );
  const vertical = Array.from({ length: columns + 1 }, (_, column) =>
    line(column % box.boxColumns === 0, `M${column * cell} 0v${rows * cell}`),
  );
  return [...horizontal, ...vertical].join('');
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
