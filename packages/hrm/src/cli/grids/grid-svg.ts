/** Grids as drawings for pages. */
import { sudokuShape } from '../../data/sudoku/sudoku.ts';
import { escaped } from '../html-page.ts';
import type { GridKind } from './grid-kind.ts';

/** Pixels of a cell. */
const CELL = 14;
const TEXT_CELL = 24;

/** What the text in drawings needs of a page's style. */
export const GRID_STYLE = `
  svg.grid { margin-right: 1rem; }
  svg.grid text { font: 14px ui-monospace, monospace; text-anchor: middle; dominant-baseline: central; fill: currentColor; }
  svg.grid .given { font-weight: bold; }
  svg.grid .wrong { fill: #c02b45; }
`;

/**
 * @param givens cells that are the same in here stand out
 * @param right what cells should be; others are marked
 */
export function gridSvg(
  kind: GridKind,
  tokens: ArrayLike<number>,
  givens = tokens,
  right?: ArrayLike<number>,
): string {
  const { rows, columns, colour } = kind;
  const cell = colour ? CELL : TEXT_CELL;
  const shapes: string[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const [x, y] = [(i % columns) * cell, Math.floor(i / columns) * cell];
    const isWrong = right !== undefined && right[i] >= 0 && right[i] !== tokens[i];
    if (colour) {
      shapes.push(`<path fill="rgb(${colour(tokens[i])})" d="M${x} ${y}h${cell}v${cell}h-${cell}z"/>`);
      if (isWrong)
        shapes.push(
          `<path stroke="#c02b45" fill="none" d="M${x + 2} ${y + 2}h${cell - 4}v${cell - 4}h-${cell - 4}z"/>`,
        );
    } else {
      const look = isWrong ? ' class="wrong"' : tokens[i] === givens[i] ? ' class="given"' : '';
      const [centreX, centreY] = [x + cell / 2, y + cell / 2];
      shapes.push(`<text x="${centreX}" y="${centreY}"${look}>${escaped(kind.text(tokens[i]))}</text>`);
    }
  }
  const [width, height] = [columns * cell, rows * cell];
  const size = `width="${width + 2}" height="${height + 2}" viewBox="-1 -1 ${width + 2} ${height + 2}"`;
  return `<svg class="grid" ${size}>${shapes.join('')}${colour ? '' : lines(kind, cell)}</svg>`;
}

/** The lines between cells, bold between the boxes of a Sudoku. */
function lines({ name, rows, columns }: GridKind, cell: number): string {
  const box = name === 'sudoku' ? sudokuShape(columns) : { boxRows: rows, boxColumns: columns };
  const line = (bold: boolean, d: string) =>
    `<path stroke="currentColor" stroke-opacity="${bold ? '0.9' : '0.2'}" d="${d}"/>`;
  const horizontal = Array.from({ length: rows + 1 }, (_, row) =>
    line(row % box.boxRows === 0, `M0 ${row * cell}h${columns * cell}`),
  );
  const vertical = Array.from({ length: columns + 1 }, (_, column) =>
    line(column % box.boxColumns === 0, `M${column * cell} 0v${rows * cell}`),
  );
  return [...horizontal, ...vertical].join('');
}
