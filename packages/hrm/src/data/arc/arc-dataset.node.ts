/** ARC datasets from tasks, as the published script builds them. Node only. */

import { Philox } from '@hrm-webgpu/core';
import { type DatasetWriter, type SplitWriter, writeDataset } from '../dataset/dataset-writer.node.ts';
import { ARC_TOKENS, type ArcPair, type ArcTask, CANVAS, drawGrid } from './arc.ts';
import { TaskAugmenter } from './arc-augment.ts';
import type { ArcSource } from './arc-source.node.ts';

/** Philox stream; any number will do that nothing else takes. */
const PLACE_STREAM = 0x61726370;

export interface ArcOptions {
  /** Augmented copies of each task, as far as there are as many different ones. */
  augment: number;
  seed: number;
  /** Called after each task. */
  onProgress?: (tasks: number, counts: ArcCounts) => void;
  /** Stops the building; nothing is left behind. */
  signal?: AbortSignal;
}

export interface ArcCounts {
  /** Tasks and their copies. */
  puzzles: number;
  trainExamples: number;
  testExamples: number;
  /** Tasks that have fewer copies than were asked for. */
  incomplete: number;
}

/**
 * Builds the dataset folder `dir`, streaming. Train pairs of all tasks, and test pairs of those that are not
 * for evaluation, make the split `train`; the other test pairs `test`, which is missing if there are none. Where an
 * output is not known, no label of the example counts.
 * A puzzle and its two halves have one identifier; a task and its copies are a group.
 *
 * @throws UserError as {@link writeDataset}
 */
export async function buildArcDataset(
  dir: string,
  sources: ArcSource[],
  options: ArcOptions,
): Promise<ArcCounts> {
  const counts = { puzzles: 0, trainExamples: 0, testExamples: 0, incomplete: 0 };
  const build = async (dataset: DatasetWriter) => {
    const augmenter = new TaskAugmenter(options.seed);
    const train = new ArcSplit(
      await dataset.split('train', { ...ARC_TOKENS, task: 'arc' }),
      new Philox(options.seed, PLACE_STREAM),
    );
    const test = sources.some(({ evaluation }) => evaluation)
      ? new ArcSplit(await dataset.split('test', { ...ARC_TOKENS, task: 'arc' }))
      : undefined;
    for (const [index, { task, evaluation }] of sources.entries()) {
      let puzzles = 0;
      for (const puzzle of withCopies(task, augmenter, options.augment)) {
        const identifier = await dataset.addIdentifier(puzzle.name);
        await train.addPuzzle(identifier, evaluation ? puzzle.train : [...puzzle.train, ...puzzle.test]);
        if (evaluation) await test!.addPuzzle(identifier, puzzle.test);
        puzzles++;
      }
      await train.writer.endGroup();
      if (evaluation) await test!.writer.endGroup();
      counts.puzzles += puzzles;
      counts.trainExamples = train.examples;
      counts.testExamples = test?.examples ?? 0;
      if (puzzles <= options.augment) counts.incomplete++;
      options.onProgress?.(index + 1, counts);
    }
  };
  await writeDataset(dir, build, options.signal);
  return counts;
}

function* withCopies(task: ArcTask, augmenter: TaskAugmenter, count: number): Generator<ArcTask> {
  yield task;
  yield* augmenter.copies(task, count);
}

/** A split whose examples are pairs of grids. */
class ArcSplit {
  examples = 0;
  private readonly input = new Uint8Array(ARC_TOKENS.seq_len);
  private readonly output = new Uint8Array(ARC_TOKENS.seq_len);

  /** @param random moves grids about on the canvas; without it they stay in its top left corner */
  constructor(
    readonly writer: SplitWriter,
    private readonly random?: Philox,
  ) {}

  /** Adds a puzzle. One of its pairs, by chance, is not moved, as evaluation never moves any. */
  async addPuzzle(identifier: number, pairs: ArcPair[]): Promise<void> {
    const unmoved = this.random?.below(pairs.length);
    for (const [index, { input, output }] of pairs.entries()) {
      let top = 0;
      let left = 0;
      if (this.random && index !== unmoved) {
        top = this.random.below(CANVAS - Math.max(input.rows, output.rows) + 1);
        left = this.random.below(CANVAS - Math.max(input.columns, output.columns) + 1);
      }
      drawGrid(input, this.input, top, left);
      drawGrid(output, this.output, top, left);
      await this.writer.addExample(this.input, this.output);
    }
    await this.writer.endPuzzle(identifier);
    this.examples += pairs.length;
  }
}
