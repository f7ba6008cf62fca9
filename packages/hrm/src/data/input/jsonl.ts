/** One example of one's own data, as a line of JSON; docs/data.md has the format. */

import { parseJson } from '../../formats/json.ts';
import { quoted, valueText } from '../../formats/quote.ts';
import type { Task } from '../dataset/task-names.ts';

/** A rectangle of values 0 … {@link LARGEST_VALUE}, row by row. */
export interface JsonGrid {
  rows: number;
  columns: number;
  values: Uint8Array;
}

export interface JsonExample {
  input: JsonGrid;
  output: JsonGrid;
  /** Examples of one task are one puzzle. */
  task?: string;
  split: 'train' | 'test';
}

/** A value's token is one more, and tokens are written as bytes. */
export const LARGEST_VALUE = 254;

/** What the first line of a file may say of all examples. */
export interface JsonHeader {
  /** What the grids mean: a task with rules. */
  rule?: Task;
  /** As they stand there; they are checked when the sizes are known. */
  symmetries?: unknown;
}

const HEADER_KEYS = ['rule', 'symmetries'];

/** The header in a line, what is wrong with it, or undefined where it is none but an example. */
export function parseJsonHeader(line: string): JsonHeader | string | undefined {
  // Examples, which are many, are not parsed twice.
  if (!HEADER_KEYS.some((key) => line.includes(`"${key}"`))) return undefined;
  let json: unknown;
  try {
    json = parseJson(line);
  } catch {
    return undefined; // told with the examples
  }
  if (typeof json !== 'object' || json === null || !HEADER_KEYS.some((key) => key in json)) return undefined;
  const unknown = Object.keys(json).find((key) => !HEADER_KEYS.includes(key));
  if (unknown !== undefined)
    return `has the key ${quoted(unknown)} beside ${HEADER_KEYS.join(', ')}, which stand in a line of their own`;
  const { rule, symmetries } = json as { rule?: unknown; symmetries?: unknown };
  const task = rule === undefined ? undefined : RULED_TASKS.find((known) => known === rule);
  if (rule !== undefined && !task) return `rule is ${valueText(rule)}, expected ${RULED_TASKS.join(', ')}`;
  return { ...(task && { rule: task }), ...(symmetries !== undefined && { symmetries }) };
}

/** The tasks that own grids may be of. */
export const RULED_TASKS: readonly Task[] = ['none', 'latin', 'sudoku', 'maze'];

const KEYS = ['input', 'output', 'task', 'split'];

/** The example in a line, or what is wrong with it. */
export function parseJsonExample(line: string): JsonExample | string {
  let json: unknown;
  try {
    json = parseJson(line);
  } catch (error) {
    return `is not valid JSON (${(error as Error).message})`;
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    return `expected an object {"input": [[…]], "output": [[…]]}, got ${quoted(line)}`;
  }
  const unknown = Object.keys(json).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) return `has the unknown key ${quoted(unknown)}, expected ${KEYS.join(', ')}`;
  const { input, output, task, split = 'train' } = json as Record<string, unknown>;
  const inputGrid = parseGrid(input, 'input');
  if (typeof inputGrid === 'string') return inputGrid;
  const outputGrid = parseGrid(output, 'output');
  if (typeof outputGrid === 'string') return outputGrid;
  if (split !== 'train' && split !== 'test') {
    return `split is ${valueText(split)}, expected "train" or "test"`;
  }
  if (task !== undefined && (typeof task !== 'string' || task === '' || task === '<blank>')) {
    return `task is ${valueText(task)}, expected a name (and not "<blank>", which means none)`;
  }
  return { input: inputGrid, output: outputGrid, split, ...(task !== undefined && { task }) };
}

function parseGrid(json: unknown, name: string): JsonGrid | string {
  if (json === undefined) return `has no ${name}`;
  if (!Array.isArray(json) || json.length === 0 || !json.every(Array.isArray) || json[0].length === 0) {
    return `${name} is no grid: expected [[…], …], one or more rows of one or more numbers`;
  }
  const grid = json as unknown[][];
  const columns = grid[0].length;
  const values = new Uint8Array(grid.length * columns);
  for (const [row, cells] of grid.entries()) {
    if (cells.length !== columns) {
      return `${name} is ragged: row ${row + 1} has ${cells.length} cells, row 1 has ${columns}`;
    }
    for (const [column, value] of cells.entries()) {
      if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > LARGEST_VALUE) {
        const place = `${name}, row ${row + 1}, column ${column + 1}`;
        return `${place}: ${valueText(value)}, expected an integer from 0 to ${LARGEST_VALUE}`;
      }
      values[row * columns + column] = value as number;
    }
  }
  return { rows: grid.length, columns, values };
}
