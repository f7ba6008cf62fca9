/** The models that come with the page; what each was trained on and can do stands in models/README.md. */
import type { Task } from 'hrm-webgpu';
import maze from '../../models/maze-9x9.safetensors?url';
import small from '../../models/sudoku-4x4.safetensors?url';
import middling from '../../models/sudoku-6x6.safetensors?url';

export interface BundledModel {
  id: string;
  title: string;
  task: Task;
  /** Cells that it reads. */
  seqLen: number;
  url: string;
  /** What it can do, in a line. */
  about: string;
  /** Puzzles that it was not trained on, as text. */
  examples: readonly string[];
  /** Where it reads mazes, which are drawn at random: their shortest paths have more steps than this. */
  minPath?: number;
}

export const BUNDLED: readonly BundledModel[] = [
  {
    id: 'sudoku-4x4',
    title: 'Sudoku 4×4',
    task: 'sudoku',
    seqLen: 16,
    url: small,
    about: '0.26 million numbers, trained in two minutes by npm run demo',
    examples: [
      '32414..3.432.314',
      '21.43421.2..431.',
      '3.4242..1423..1.',
      '...22.1.4.2.1234',
      '3....13..24.43.1',
      '132..431.21.3142',
    ],
  },
  {
    id: 'sudoku-6x6',
    title: 'Sudoku 6×6',
    task: 'sudoku',
    seqLen: 36,
    url: middling,
    about: '1.05 million numbers, trained by the published code',
    examples: [
      '.5.31.....656...3......6.42...5...41',
      '..3.51.1.3...4....6..1.426..1.1..4..',
      '46.52.....146.41.5.13..61..3.22.645.',
      '4...2.1..56.3..2.5...64361...2.43..6',
      '.4....1...3.6...13.....2316.45...361',
      '.45.2..6..14.3..454..1.35.6431......',
      '354...2.6..3631.2..2513.562.411.3.6.',
      '.5..41.1.2...2...3435..254..3.1..5..',
      '.4.5..52.1.643.2652..431.12..43546..',
    ],
  },
  {
    id: 'maze-9x9',
    title: 'Maze 9×9',
    task: 'maze',
    seqLen: 81,
    url: maze,
    about:
      '0.26 million numbers, trained by this code: it finds a way through 46 % of such mazes, with 16 guesses 77 %',
    examples: [],
    minPath: 3, // as all that it was trained on
  },
];
