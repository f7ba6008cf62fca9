/** Examples of a dataset's set as people read them: grids, and which of them belong together. */
import { type DatasetMetadata, type DatasetSet, type Task, taskOf } from 'hrm-webgpu';
import { decodeGrid } from 'hrm-webgpu/puzzles';

export interface Example {
  /** In its set, from 0. */
  number: number;
  /** In the set, from 0: the examples of one puzzle share an identifier. */
  puzzle: number;
  identifier: number;
  input: number[][];
  label: number[][];
}

/** Examples that were made of one puzzle: it, and its augmented copies. */
export interface ExampleGroup {
  /** From 0. */
  group: number;
  /** How many there are of it in all, and the first of them. */
  examples: number;
  first: number;
  /** Those that were asked for. */
  shown: Example[];
}

/** What is told of a set. */
export interface SetSizes {
  name: string;
  groups: number;
  puzzles: number;
  examples: number;
}

export function sizesOf(name: string, { groupIndices, puzzleIdentifiers, inputs }: DatasetSet): SetSizes {
  const groups = groupIndices.length - 1;
  return { name, groups, puzzles: puzzleIdentifiers.length, examples: inputs.count };
}

/** What the grids mean, and whether only their sizes say so. */
export function meaningOf(metadata: DatasetMetadata): { task: Task; guessed: boolean } {
  return metadata.task ? { task: metadata.task, guessed: false } : { task: taskOf(metadata), guessed: true };
}

/** The part that an index lies in: offsets[part] ≤ index < offsets[part + 1]. */
export function partAt(offsets: Int32Array, index: number): number {
  let [low, high] = [0, offsets.length - 2];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (offsets[middle] <= index) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The number of a group's first example. */
export const firstOfGroup = ({ groupIndices, puzzleIndices }: DatasetSet, group: number): number =>
  puzzleIndices[groupIndices[group]];

/** The examples from `first` on, `count` of them or as many as there are, by their groups. */
export function groupsFrom(
  set: DatasetSet,
  metadata: DatasetMetadata,
  first: number,
  count: number,
): ExampleGroup[] {
  const groups: ExampleGroup[] = [];
  const end = Math.min(first + count, set.inputs.count);
  for (let number = first; number < end; number++) {
    const puzzle = partAt(set.puzzleIndices, number);
    const group = partAt(set.groupIndices, puzzle);
    if (groups[groups.length - 1]?.group !== group) {
      const begins = firstOfGroup(set, group);
      groups.push({ group, first: begins, examples: firstOfGroup(set, group + 1) - begins, shown: [] });
    }
    groups[groups.length - 1].shown.push({
      ...{ number, puzzle, identifier: set.puzzleIdentifiers[puzzle] },
      input: gridOf(metadata, set.inputs.read(number)),
      label: gridOf(metadata, set.labels.read(number)),
    });
  }
  return groups;
}

/** Of ARC the colours begin here: what is before is padding and the edge. */
const FIRST_COLOUR = 2;

/** Tokens as a grid; labels that do not count look like padding. */
export function gridOf(metadata: DatasetMetadata, stored: ArrayLike<number>): number[][] {
  const { task } = meaningOf(metadata);
  const { ignore_label_id, pad_id } = metadata;
  const tokens = Int32Array.from(stored, (token) => (token === ignore_label_id ? pad_id : token));
  return task === 'arc' ? coloured(tokens) : decodeGrid(task, tokens, tokens);
}

/** The least box around all colours: copies stand anywhere on the canvas. */
function coloured(tokens: Int32Array): number[][] {
  const side = Math.sqrt(tokens.length);
  const cells = [...tokens.keys()].filter((i) => tokens[i] >= FIRST_COLOUR);
  if (cells.length === 0) return [[-1]];
  const rows = cells.map((i) => Math.floor(i / side));
  const columns = cells.map((i) => i % side);
  const [top, left] = [rows[0], Math.min(...columns)];
  const [bottom, right] = [rows[rows.length - 1], Math.max(...columns)];
  return Array.from({ length: bottom - top + 1 }, (_, r) =>
    Array.from({ length: right - left + 1 }, (_, c) => tokens[(top + r) * side + left + c] - FIRST_COLOUR),
  );
}
