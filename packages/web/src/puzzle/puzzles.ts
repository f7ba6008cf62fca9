/** Puzzles to begin with. */
import { parsePuzzle } from 'hrm-webgpu/puzzles';
import { lookOf } from '../boards/look.ts';
import type { ModelInfo } from '../engine/api.ts';

/** One of a model's examples, another than `but`; undefined where there is none. */
export function randomExample(
  { examples }: { examples: readonly string[] },
  but = '',
): number[][] | undefined {
  const others = examples.filter((example) => example !== but);
  const chosen = others[Math.floor(Math.random() * others.length)];
  return chosen === undefined ? undefined : parsePuzzle(chosen, { name: 'the example' }).grid;
}

/** An empty grid of the size that a model reads; of ARC, whose grids may have any, a small one. */
export function emptyGrid({ task, seqLen }: Pick<ModelInfo, 'task' | 'seqLen'>): number[][] {
  const side = task === 'arc' ? 3 : Math.sqrt(seqLen);
  const [rows, columns] = Number.isInteger(side) ? [side, side] : [1, seqLen];
  return Array.from({ length: rows }, () => Array(columns).fill(lookOf(task).empty));
}
