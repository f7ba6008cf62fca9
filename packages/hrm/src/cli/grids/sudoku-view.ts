import { rulesBroken, type SudokuShape } from '../../data/sudoku/sudoku.ts';
import { bold, dim, green, red } from '../terminal.ts';

/**
 * A grid as lines of text: givens bold, cells that break a rule red, cells that changed since `previous` green, blanks
 * as dots.
 */
export function drawGrid(
  shape: SudokuShape,
  grid: ArrayLike<number>,
  givens: ArrayLike<number>,
  previous?: ArrayLike<number>,
): string[] {
  const { size, boxRows, boxColumns } = shape;
  const broken = new Set(rulesBroken(shape, grid));
  const cell = (i: number) => {
    const text = grid[i] === 0 ? '·' : String(grid[i]);
    if (broken.has(i)) return red(text);
    if (givens[i] !== 0) return bold(text);
    if (previous && previous[i] !== grid[i]) return green(text);
    return text;
  };
  const rule = dim(Array.from({ length: size / boxColumns }, () => '─'.repeat(2 * boxColumns + 1)).join('┼'));
  const lines: string[] = [];
  for (let row = 0; row < size; row++) {
    if (row > 0 && row % boxRows === 0) lines.push(` ${rule}`);
    let line = ' ';
    for (let column = 0; column < size; column++) {
      if (column > 0 && column % boxColumns === 0) line += ` ${dim('│')}`;
      line += ` ${cell(row * size + column)}`;
    }
    lines.push(line);
  }
  return lines;
}
