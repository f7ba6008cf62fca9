/** ARC datasets from folders of tasks, as the published script builds them. Node only. */

import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Philox, UserError } from '@hrm-webgpu/core';
import { fileError } from '../../formats/files/file-error.node.ts';
import { quoted } from '../../formats/quote.ts';
import { type DatasetWriter, type SplitWriter, writeDataset } from '../dataset/dataset-writer.node.ts';
import {
  ARC_TOKENS,
  type ArcPair,
  type ArcTask,
  CANVAS,
  drawGrid,
  missingOutput,
  parseTask,
  UNKNOWN,
} from './arc.ts';
import { parseName, TaskAugmenter } from './arc-augment.ts';

/** The folders whose tasks are to be solved: their test pairs make the test split. */
const EVALUATION = ['evaluation', 'test'];

/** Philox stream; any number will do that nothing else takes. */
const PLACE_STREAM = 0x61726370;

/** A task and whether it is one to be solved. */
export interface ArcSource {
  task: ArcTask;
  evaluation: boolean;
}

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
 * Reads tasks in the layout of ARC-AGI and ConceptARC, `<folder>/<any name>/*.json`. In each folder the
 * sub-folders and files come in the order of their names.
 *
 * @throws UserError naming the file and what is wrong in it; for two tasks of the same name; if there are none
 */
export async function readArcTasks(folders: string[]): Promise<ArcSource[]> {
  const sources: ArcSource[] = [];
  const files = new Map<string, string>();
  for (const folder of folders) {
    const before = sources.length;
    for (const subfolder of await entries(folder, (path) => isFolder(path))) {
      const evaluation = EVALUATION.includes(basename(subfolder));
      for (const file of await entries(subfolder, (path) => path.endsWith('.json'))) {
        const task = await readTask(file);
        if (!evaluation) checkOutputs(task, file);
        checkName(task.name, file, files);
        sources.push({ task, evaluation });
      }
    }
    if (sources.length === before) {
      throw new UserError(
        `${folder}: holds no tasks. Expected ${join(folder, '<any name>')}/*.json: give the folder above those of the ` +
          `task files, which has sub-folders like 'training' and '${EVALUATION[0]}'.`,
      );
    }
  }
  return sources;
}

async function readTask(file: string): Promise<ArcTask> {
  const bytes = await readFile(file).catch((cause) => {
    throw fileError('cannot read', file, cause);
  });
  return parseTask(new TextDecoder().decode(bytes), file, basename(file, '.json'));
}

/** Pairs to train on need an output. */
function checkOutputs({ test }: ArcTask, file: string): void {
  const missing = test.findIndex(({ output }) => output === UNKNOWN);
  if (missing < 0) return;
  throw new UserError(
    `${missingOutput(`${file}: test[${missing}]`).message} Only tasks in a sub-folder ` +
      `${EVALUATION.map((name) => `'${name}'`).join(' or ')} may leave it out: the others are trained on.`,
  );
}

/** Names become identifiers, one each, and say what has been done to a task. */
function checkName(name: string, file: string, files: Map<string, string>): void {
  const other = files.get(name);
  if (other !== undefined) {
    throw new UserError(
      `${file}: the task ${quoted(name)} is in ${other} already. ARC-AGI-2 holds tasks of ARC-AGI-1: do not build ` +
        'them into one dataset, or leave out one of the two files.',
    );
  }
  if (parseName(name).augmentation) {
    throw new UserError(
      `${file}: the task's name ${quoted(name)} ends as those of augmented tasks do. Give it another name.`,
    );
  }
  files.set(name, file);
}

async function entries(
  folder: string,
  wanted: (path: string) => boolean | Promise<boolean>,
): Promise<string[]> {
  const names = await readdir(folder).catch((cause) => {
    throw fileError('cannot read', folder, cause);
  });
  const paths: string[] = [];
  for (const name of names.sort()) {
    const path = join(folder, name);
    if (await wanted(path)) paths.push(path);
  }
  return paths;
}

async function isFolder(path: string): Promise<boolean> {
  return existsSync(path) && (await stat(path)).isDirectory();
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
