/** The checkpoints that the authors of HRM publish: names, homes and what they are for, in one table. */
import type { Task } from 'hrm-webgpu';
import { puzzleText } from 'hrm-webgpu/puzzles';

/** Where they are fetched from: a build may name a mirror (see policy.ts). */
const HOME = import.meta.env.VITE_CHECKPOINT_HOME || 'https://huggingface.co';

export interface PublishedModel {
  id: string;
  title: string;
  task: Task;
  /** Cells that it reads. */
  seqLen: number;
  /** A page about it. */
  page: string;
  /** The weights, a `torch.save` file, and the configuration that lies beside them. */
  weights: string;
  config: string;
  about: string;
  /** Whether nearly all of the file is embeddings of single puzzles, which new puzzles do without. */
  trunkOnly?: boolean;
  examples: readonly string[];
  /** Of random mazes, see BundledModel. */
  minPath?: number;
}

function published(name: string, rest: Omit<PublishedModel, 'page' | 'weights' | 'config'>): PublishedModel {
  const page = `${HOME}/sapientinc/${name}`;
  const file = (path: string) => `${page}/resolve/main/${path}`;
  return { ...rest, page, weights: file('checkpoint'), config: file('all_config.yaml') };
}

export const PUBLISHED: readonly PublishedModel[] = [
  published('HRM-checkpoint-sudoku-extreme', {
    id: 'sudoku-extreme',
    title: 'Sudoku 9×9',
    task: 'sudoku',
    seqLen: 81,
    about: 'the published 27 million numbers for Sudoku-Extreme',
    examples: [
      '..............3.85..1.2.......5.7.....4...1...9.......5......73..2.1........4...9',
      '8..........36......7..9.2...5...7.......457.....1...3...1....68..85...1..9....4..',
    ],
  }),
  published('HRM-checkpoint-maze-30x30-hard', {
    id: 'maze-30x30',
    title: 'Maze 30×30',
    task: 'maze',
    seqLen: 900,
    about: 'the published 27 million numbers for mazes',
    examples: [],
    minPath: 110, // as all that it was trained on
  }),
  published('HRM-checkpoint-ARC-2', {
    id: 'arc-2',
    title: 'ARC-AGI-2',
    task: 'arc',
    seqLen: 900,
    about: 'the published model for ARC-AGI-2; most of its 2.3 GB are embeddings of single puzzles',
    trunkOnly: true,
    examples: [
      [
        [3, 2],
        [7, 8],
      ],
      [
        [4, 0, 8],
        [0, 0, 0],
        [0, 7, 0],
      ],
      [
        [0, 4, 0],
        [0, 0, 0],
        [4, 0, 0],
      ],
      [
        [6, 6, 0],
        [6, 6, 0],
        [0, 0, 6],
      ],
    ].map((input) => puzzleText('arc', input)),
  }),
];
