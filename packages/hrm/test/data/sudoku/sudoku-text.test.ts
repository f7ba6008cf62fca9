import { describe, expect, it } from 'vitest';
import { sudokuShape } from '../../../src/data/sudoku/sudoku.ts';
import { parseSudokuGrid } from '../../../src/data/sudoku/sudoku-source.ts';
import { sudokusIn } from '../../../src/data/sudoku/sudoku-text.ts';

const SIX = '4...212315...4..636....5..4.5..6....';
const rows = SIX.match(/.{6}/g) as string[];
const cells = rows.map((row) => [...row]);
const shape = sudokuShape(6);

/** The grids of a text, as digits, and what is wrong. */
const read = (text: string, size = shape) =>
  [...sudokusIn(size, text)].map((found) =>
    'cells' in found ? [found.line, ...(parseSudokuGrid(size, found.cells) as Uint8Array)] : found,
  );
const grid = (line: number) => [line, ...Array.from(SIX, (cell) => Number(cell) || 0)];
const bars = (row: string) => `| ${[...row.slice(0, 3)].join(' ')} | ${[...row.slice(3)].join(' ')} |`;

describe('sudokusIn', () => {
  const numbers = cells.map((row) => row.map((cell) => Number(cell) || 0));
  it.each<[string, string, number]>([
    ['one a line', SIX, 1],
    ['rows', rows.join('\n'), 1],
    ['CRLF, and space about', ` ${rows.join(' \r\n ')}\r\n`, 1],
    ['0', SIX.replaceAll('.', '0'), 1],
    ['_', SIX.replaceAll('.', '_'), 1],
    ['x', SIX.replaceAll('.', 'x'), 1],
    ['X', rows.join('\n').replaceAll('.', 'X'), 1],
    ['*', rows.join('\n').replaceAll('.', '*'), 1],
    ['strokes', `+-------+-------+\n${rows.map(bars).join('\n+---+---+\n')}\n+-------+-------+`, 2],
    [
      'strokes with corners that are blanks elsewhere',
      `*-----------*\n${rows.map((row) => `|${row.slice(0, 3)}|${row.slice(3)}|`).join('\n')}\n.===.===.\n*---*`,
      2,
    ],
    [
      'strokes in a line of their own alone',
      `${rows.slice(0, 2).join('\n')}\n---+---\n${rows.slice(2).join('\n')}`,
      1,
    ],
    [
      "strokes as 'hrm solve' draws them",
      rows.map((row) => `${row.slice(0, 3)} │ ${row.slice(3)}`).join('\n ──┼──\n'),
      1,
    ],
    [
      'boxes parted by spaces and empty lines',
      rows.map((row, i) => `${row.slice(0, 3)} ${row.slice(3)}${i % 2 ? '\n' : ''}`).join('\n'),
      1,
    ],
    ['[Puzzle]', `#A someone\n#D 2026\n[Puzzle]\n${rows.join('\n')}`, 4],
    ['a comment between rows', rows.join('\n# half\n'), 1],
    [
      'commas, nothing between them',
      cells.map((row) => row.map((cell) => cell.replace('.', ''))).join('\n'),
      1,
    ],
    ['commas in one line', [...SIX].map((cell) => cell.replace('.', '')).join(','), 1],
    ['commas and spaces', cells.map((row) => row.join(', ')).join('\n'), 1],
    ['an array of arrays', JSON.stringify(numbers), 1],
    ['an array over many lines', JSON.stringify(numbers, null, 2), 1],
    ['an array of texts', JSON.stringify(cells), 1],
    ['an array with null and ""', JSON.stringify(cells).replace('"."', 'null').replace('"."', '""'), 1],
    ['a list of arrays', JSON.stringify([numbers]), 1],
    ['rows of an array', numbers.map((row) => `${JSON.stringify(row)},`).join('\n'), 1],
    ['an array in one level', JSON.stringify(numbers.flat()), 1],
  ])('reads %s', (_, text, line) => {
    expect(read(text)).toEqual([grid(line)]);
  });

  it('reads several, however each is written', () => {
    const text = [SIX, rows.join('\n'), rows.join('\n'), '', SIX, '[puzzle]', ...rows].join('\n');
    expect(read(text)).toEqual([1, 2, 8, 15, 17].map(grid));
    expect(read([JSON.stringify([numbers, numbers]), JSON.stringify(numbers)].join('\n'))).toEqual(
      [1, 1, 2].map(grid),
    );
  });

  it('says what is wrong, where, and goes on with the next', () => {
    const problem = (line: number, text: string) => ({ line, problem: expect.stringContaining(text) });
    expect(read(`123\n${SIX}\n${SIX}1`)).toEqual([
      problem(1, 'has 3 characters, expected 36 for 6×6, or 6 in each of 6 lines: "123"'),
      grid(2),
      problem(3, 'has 37 characters'),
    ]);
    expect(read([...rows.slice(0, 5), '', SIX].join('\n'))).toEqual([
      problem(1, 'the grid that begins here has 5 rows, expected 6'),
      grid(7),
    ]);
    expect(read(rows.slice(1).join('\n'))).toEqual([problem(1, 'has 5 rows')]);
    expect(read([...rows.slice(0, 4), '[Puzzle]', ...rows].join('\n'))).toEqual([
      problem(1, 'has 4 rows'),
      grid(6),
    ]);
    // The rows after a bad one belong to it.
    expect(read([...rows.slice(0, 2), '12345', ...rows.slice(3), ...rows].join('\n'))).toEqual([
      problem(3, 'has 5 characters'),
      grid(7),
    ]);
    expect(read(`[[1,2]]\n[[[1]], 5, [[7, "ab"]]]\n${SIX}`)).toEqual([
      problem(1, 'expected an array of 6 rows of 6 digits each'),
      ...[2, 2, 2].map((line) => problem(line, 'expected an array')),
      grid(3),
    ]);
    expect(read(`[[1,2}]]\n${SIX}`)).toEqual([problem(1, 'is not valid JSON'), grid(2)]);
    expect(read(`${SIX}\n[[1,2],\n[3`)).toEqual([
      grid(1),
      problem(2, 'the array that begins here has no end'),
    ]);
    expect(read('[State]')).toEqual([problem(1, 'has 7 characters')]);
  });

  it('finds nothing in text of another kind', () => {
    expect(read('')).toEqual([]);
    expect(read('#####\n#S G#\n#####')).toEqual([]);
  });

  it('is quick with large lines, whatever they hold', () => {
    const n = 2e6;
    const nested = `${'['.repeat(n)}${']'.repeat(n)}`;
    const long = [
      '-'.repeat(n),
      `${'-'.repeat(n)}5`,
      ','.repeat(n),
      ' '.repeat(n),
      `[${'[[]],'.repeat(n)}`,
      nested,
    ];
    const start = performance.now();
    const found = [...sudokusIn(shape, long.join('\n'))];
    expect(found.every((one) => 'problem' in one)).toBe(true);
    expect(found).toHaveLength(5);
    // Measured: 0.4 s. What grows with the square of the length would take hours.
    expect(performance.now() - start).toBeLessThan(10_000);
  });
});
