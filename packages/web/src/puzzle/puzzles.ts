/** Puzzles to begin with. */
import { parsePuzzle } from 'hrm-webgpu/puzzles';
import { lookOf } from '../boards/look.ts';
import type { ModelInfo } from '../engine/api.ts';

/** The page is kept waiting no longer at a time. */
const MOST_MS = 20;

/** What is known of the puzzles of a model: examples as text, and how long the paths of mazes are. */
export interface Examples {
  examples: readonly string[];
  minPath?: number;
}

type Size = Pick<ModelInfo, 'task' | 'seqLen'>;

/** Whether there is another example than the one that is shown. */
export const hasExamples = ({ task }: Size, known: Examples | undefined) =>
  task === 'maze' || (known?.examples.length ?? 0) > 1;

/** One of a model's examples, another than `but`, or a random maze; undefined where there is none. */
export async function randomExample(
  info: Size,
  known: Examples | undefined,
  but = '',
): Promise<number[][] | undefined> {
  if (info.task === 'maze') return makeMaze(info, known);
  const others = known?.examples.filter((example) => example !== but) ?? [];
  const chosen = others[Math.floor(Math.random() * others.length)];
  return chosen === undefined ? undefined : parsePuzzle(chosen, { name: 'the example' }).grid;
}

/** Fetched when a maze is wanted. */
async function makeMaze({ seqLen }: Size, known: Examples | undefined): Promise<number[][]> {
  const { randomMaze } = await import('hrm-webgpu/puzzles');
  const size = Math.sqrt(seqLen);
  let last = performance.now();
  const breathe = async () => {
    if (performance.now() - last < MOST_MS) return;
    await new Promise((resolve) => setTimeout(resolve));
    last = performance.now();
  };
  const seed = Math.floor(Math.random() * 2 ** 32);
  return randomMaze(size, { minPath: known?.minPath ?? Math.floor(size / 3), seed, breathe });
}

/** An empty grid of the size that a model reads; of ARC, whose grids may have any, a small one. */
export function emptyGrid({ task, seqLen }: Size): number[][] {
  const side = task === 'arc' ? 3 : Math.sqrt(seqLen);
  const [rows, columns] = Number.isInteger(side) ? [side, side] : [1, seqLen];
  return Array.from({ length: rows }, () => Array(columns).fill(lookOf(task).empty));
}
