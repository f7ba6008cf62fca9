/** What the cells of a puzzle look like, and what is said of them to who cannot see them. */
import type { Task } from 'hrm-webgpu';
import { MAZE } from 'hrm-webgpu';

export interface Look {
  /** What stands in a cell. */
  text(value: number): string;
  /** What the cell is, in words. */
  name(value: number): string;
  /** The class that paints it. */
  paint(value: number): string;
  /** The value that a key puts into a cell; undefined for other keys. */
  key(key: string, size: number): number | undefined;
  /** What an empty cell holds. */
  empty: number;
  /** The values that may be put into a puzzle of a size. */
  palette(size: number): readonly number[];
  /** Whether the pointer paints them, as colours are, instead of writing them into one cell. */
  painted: boolean;
}

const digitOf = (key: string, most: number) =>
  /^\d$/.test(key) && Number(key) <= most ? Number(key) : undefined;
const isErasing = (key: string) => ['Backspace', 'Delete', '.', ' '].includes(key);

const digits: Look = {
  text: (value) => (value === 0 ? '' : String(value)),
  name: (value) => (value === 0 ? 'blank' : String(value)),
  paint: () => '',
  key: (key, size) => (isErasing(key) ? 0 : digitOf(key, size)),
  empty: 0,
  palette: (size) => [...Array.from({ length: size }, (_, i) => i + 1), 0],
  painted: false,
};

const MAZE_WORDS: Record<number, readonly [text: string, name: string, paint: string]> = {
  [MAZE.wall]: ['', 'wall', 'wall'],
  [MAZE.free]: ['', 'free', 'free'],
  [MAZE.start]: ['S', 'start', 'start'],
  [MAZE.goal]: ['G', 'goal', 'goal'],
  [MAZE.path]: ['•', 'path', 'path'],
};
const NO_CELL = ['?', 'nothing known', 'unknown'] as const;
const MAZE_KEYS: Record<string, number> = { '#': MAZE.wall, w: MAZE.wall, s: MAZE.start, g: MAZE.goal };

const maze: Look = {
  text: (value) => (MAZE_WORDS[value] ?? NO_CELL)[0],
  name: (value) => (MAZE_WORDS[value] ?? NO_CELL)[1],
  paint: (value) => (MAZE_WORDS[value] ?? NO_CELL)[2],
  key: (key) => (isErasing(key) ? MAZE.free : MAZE_KEYS[key.toLowerCase()]),
  empty: MAZE.free,
  palette: () => [MAZE.wall, MAZE.free, MAZE.start, MAZE.goal],
  painted: true,
};

const COLOURS = 'black blue red green yellow grey pink orange azure maroon'.split(' ');

const arc: Look = {
  text: () => '',
  name: (value) => COLOURS[value] ?? 'nothing known',
  paint: (value) => (COLOURS[value] ? `colour-${value}` : 'unknown'),
  key: (key) => (isErasing(key) ? 0 : digitOf(key, 9)),
  empty: 0,
  palette: () => [...COLOURS.keys()],
  painted: true,
};

const numbers: Look = {
  ...digits,
  text: String,
  name: String,
  key: (key) => digitOf(key, 9),
  palette: () => [],
};

export function lookOf(task: Task): Look {
  return { sudoku: digits, latin: digits, maze, arc, none: numbers }[task];
}

/** Rows and columns of a box of a Sudoku, whose edges are drawn thicker; undefined where there are none. */
export function boxOf(task: Task, size: number): { rows: number; columns: number } | undefined {
  if (task !== 'sudoku') return undefined;
  const rows = size === 9 ? 3 : 2;
  return { rows, columns: size / rows };
}
