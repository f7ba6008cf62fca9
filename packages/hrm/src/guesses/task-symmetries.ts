/** The symmetries of each task. */

import { ARC_TOKENS, COLOURS, cropGrid, drawGrid } from '../data/arc/arc.ts';
import { augmentGrid, inverse } from '../data/arc/arc-augment.ts';
import type { DeclaredSymmetry } from '../data/dataset/declared-symmetries.ts';
import { DIHEDRALS, dihedralWalk } from '../data/dihedral.ts';
import { MAZE } from '../data/maze/maze.ts';
import { BLANK_TOKEN } from '../data/sudoku/blank-token.ts';
import { sudokuShape } from '../data/sudoku/sudoku.ts';
import type { Task, TokenSizes } from '../tasks/tasks.ts';
import { factorial, permutation, rearrangement, type Symmetry, type SymmetryFamily } from './symmetry.ts';

/**
 * The families of a task; a symmetry of the task is one of each.
 *
 * | task | families |
 * |---|---|
 * | `sudoku` | `digits` renamed; `rows` within bands, and bands; `columns` within stacks, and stacks; `transpose` of 4×4 and 9×9 |
 * | `latin` | `digits`, `rows`, `columns`, `transpose` |
 * | `maze` | `dihedral`: turned and mirrored; `ends`: start and goal swapped |
 * | `arc` | `dihedral`; `colours` renamed, all but black |
 * | `none` | none |
 *
 * And of any task: `declared`, those that its data declare.
 */
export function symmetriesOf(
  task: Task,
  sizes: Pick<TokenSizes, 'seq_len'>,
  declared: readonly DeclaredSymmetry[] = [],
): SymmetryFamily[] {
  const families = familiesOf(task, sizes);
  if (declared.length === 0) return families;
  const at = (index: number) => rearrangement(index === 0 ? {} : declared[index - 1]);
  return [...families, { name: 'declared', count: 1 + declared.length, at }];
}

function familiesOf(task: Task, { seq_len }: Pick<TokenSizes, 'seq_len'>): SymmetryFamily[] {
  const side = Math.sqrt(seq_len);
  if (task === 'sudoku') {
    const { boxRows, boxColumns } = sudokuShape(side);
    const transposes = boxRows === boxColumns ? [transpose(side)] : [];
    return [digits(side), ...lines(side, boxRows, boxColumns), ...transposes];
  }
  if (task === 'latin') return [digits(side), ...lines(side, side, side), transpose(side)];
  if (task === 'maze') return [dihedral(side), ends()];
  return task === 'arc' ? [arcDihedral(), arcColours()] : [];
}

function digits(size: number): SymmetryFamily {
  return renamed('digits', BLANK_TOKEN + 1, size);
}

/** Any permutation of `count` tokens from `first` on. */
function renamed(name: string, first: number, count: number): SymmetryFamily {
  return {
    name,
    count: factorial(count),
    at: (index) => {
      const fixed = Array.from({ length: first }, (_, token) => token);
      return rearrangement({ tokens: [...fixed, ...permutation(count, index).map((i) => first + i)] });
    },
  };
}

/** Rows of a band and bands, columns of a stack and stacks, in any order. */
function lines(size: number, boxRows: number, boxColumns: number): SymmetryFamily[] {
  return [
    {
      name: 'rows',
      count: orders(size, boxRows),
      at(index) {
        const from = orderAt(size, boxRows, index);
        return rearrangement({ cells: cellsFrom(size, (row, column) => from[row] * size + column) });
      },
    },
    {
      name: 'columns',
      count: orders(size, boxColumns),
      at(index) {
        const from = orderAt(size, boxColumns, index);
        return rearrangement({ cells: cellsFrom(size, (row, column) => row * size + from[column]) });
      },
    },
  ];
}

/** Orders of `size` lines that keep blocks of `width` together. */
function orders(size: number, width: number): number {
  const blocks = size / width;
  return factorial(blocks) * factorial(width) ** blocks;
}

/** The i-th: the old line of each new one. */
function orderAt(size: number, width: number, index: number): number[] {
  const within = factorial(width);
  let rest = index;
  const blocks = size / width;
  const order = permutation(blocks, rest % factorial(blocks));
  rest = Math.floor(rest / factorial(blocks));
  return order.flatMap((block) => {
    const inBlock = permutation(width, rest % within);
    rest = Math.floor(rest / within);
    return inBlock.map((line) => block * width + line);
  });
}

function transpose(size: number): SymmetryFamily {
  const swapped = cellsFrom(size, (row, column) => column * size + row);
  return { name: 'transpose', count: 2, at: (index) => rearrangement(index === 0 ? {} : { cells: swapped }) };
}

function dihedral(size: number): SymmetryFamily {
  return {
    name: 'dihedral',
    count: DIHEDRALS,
    at(id) {
      const [first, down, right] = dihedralWalk(id, size, size);
      return rearrangement({ cells: cellsFrom(size, (row, column) => first + row * down + column * right) });
    },
  };
}

function ends(): SymmetryFamily {
  const tokens = Array.from({ length: MAZE.path + 1 }, (_, token) => token);
  tokens[MAZE.start] = MAZE.goal;
  tokens[MAZE.goal] = MAZE.start;
  return { name: 'ends', count: 2, at: (index) => rearrangement(index === 0 ? {} : { tokens }) };
}

function cellsFrom(size: number, from: (row: number, column: number) => number): Int32Array {
  return Int32Array.from({ length: size * size }, (_, cell) => from(Math.floor(cell / size), cell % size));
}

/** The token of black. */
const BLACK = 2;

/** Black keeps its name, as in the published copies. */
function arcColours(): SymmetryFamily {
  return renamed('colours', BLACK + 1, COLOURS - 1);
}

/** The grid is turned where it lies on its canvas: at the top left. */
function arcDihedral(): SymmetryFamily {
  const colours = Uint8Array.from({ length: COLOURS }, (_, colour) => colour);
  const turned = (augmentation: Parameters<typeof augmentGrid>[1]) => (tokens: Int32Array) => {
    const canvas = new Uint8Array(ARC_TOKENS.seq_len);
    const grid = cropGrid(tokens);
    if (grid.rows > 0) drawGrid(augmentGrid(grid, augmentation), canvas);
    return Int32Array.from(canvas);
  };
  return {
    name: 'dihedral',
    count: DIHEDRALS,
    at(transform): Symmetry {
      if (transform === 0) return rearrangement({});
      const augmentation = { transform, colours };
      return { apply: turned(augmentation), undo: turned(inverse(augmentation)) };
    },
  };
}
