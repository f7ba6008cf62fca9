import { Philox, UserError } from '@hrm-webgpu/core';
import { breather } from '../../data/input/breather.node.ts';
import type { PuzzleExample } from '../../data/input/puzzle-example.ts';
import { type PuzzleSplit, readPuzzleTable } from '../../data/input/puzzle-files.node.ts';
import { dihedralCopies, MAZE_VOCABULARY } from '../../data/maze/maze.ts';
import { MazeDistances } from '../../data/maze/maze-distances.ts';
import { MazeGenerator } from '../../data/maze/maze-generator.ts';
import { markShortestPath } from '../../data/maze/maze-solver.ts';
import { mazePair } from '../../data/maze/maze-text.ts';
import { type Command, parse, wholeNumber } from '../command.ts';
import { untilInterrupted } from '../interrupt.ts';
import { Build, outFolder, sampled } from './build.ts';
import { localFile, SOURCE_HELP, SOURCE_OPTIONS } from './source.ts';

/** Larger mazes would take minutes for one. */
const LARGEST = 100;

export const dataMaze: Command = {
  summary: 'mazes, from the published tables or made',
  help: `usage: hrm data maze --csv FILE|URL [--test-csv FILE|URL] --out DIR [options]
       hrm data maze --generate N [--test N] [--min-path N] --out DIR [options]

Builds a dataset of mazes whose label is the maze with a shortest path marked.

  --csv, --test-csv    tables with the columns question and answer, as published: cells row by row, '#' wall, ' ' free,
                       S start, G goal, o path
  --generate N         make N mazes: walls at random, a shortest path of more than --min-path steps, and of the shortest
                       paths the one that takes the first possible step of up, left, right, down
  --test N             make N more for the test split; no two mazes are equal up to turning and flipping
  --min-path N         default 110, which is Maze-Hard; at other sizes it must be given
  --size N             rows and columns; default 30
  --subsample N        train on N mazes of the table, drawn at random
  --augment            all eight dihedral transforms of every training maze; those of made ones are marked by the same
                       rule as the mazes themselves
  --seed N             default 0
  --skip-bad           leave out bad lines instead of stopping
${SOURCE_HELP}`,

  async run(args) {
    const { values, positionals } = parse(args, {
      ...SOURCE_OPTIONS,
      csv: { type: 'string' },
      'test-csv': { type: 'string' },
      generate: { type: 'string' },
      test: { type: 'string' },
      'min-path': { type: 'string' },
      size: { type: 'string', default: '30' },
      subsample: { type: 'string' },
      augment: { type: 'boolean', default: false },
      seed: { type: 'string' },
      'skip-bad': { type: 'boolean', default: false },
      out: { type: 'string' },
    });
    if (positionals.length > 0) throw new UserError(`unexpected argument '${positionals[0]}'. See --help.`);
    checkCombination(values);
    const out = outFolder(values.out);
    const size = wholeNumber('size', values.size, 2)!;
    if (size > LARGEST) throw new UserError(`--size ${size}: expected at most ${LARGEST}`);
    const seed = wholeNumber('seed', values.seed, 0) ?? 0;
    const subsample = wholeNumber('subsample', values.subsample);
    return untilInterrupted(async (signal) => {
      const build = new Build(signal, values['skip-bad']);
      const splits =
        values.csv === undefined ? made(values, size, seed, signal) : await published(values, size, build);
      if (subsample) splits.train.examples = sampled(splits.train.examples, subsample, seed);
      if (values.augment) splits.train.copies = values.csv === undefined ? markedCopies(size) : otherCopies;
      const task = 'maze' as const;
      const format = {
        seq_len: size * size,
        vocab_size: MAZE_VOCABULARY,
        pad_id: 0,
        ignore_label_id: 0,
        task,
      };
      await build.write(out, format, splits);
      return 0;
    });
  },
};

interface Values {
  csv?: string;
  'test-csv'?: string;
  subsample?: string;
  generate?: string;
  test?: string;
  'min-path'?: string;
  sha256?: string;
  'test-sha256'?: string;
  downloads: string;
}

type Splits = Record<string, PuzzleSplit> & { train: PuzzleSplit };

function checkCombination(values: Values): void {
  if ((values.csv === undefined) === (values.generate === undefined)) {
    throw new UserError('give one of --csv and --generate. See --help.');
  }
  const forbidden =
    values.csv === undefined
      ? (['test-csv', 'subsample', 'sha256', 'test-sha256'] as const)
      : (['test', 'min-path'] as const);
  const wrong = forbidden.find((name) => values[name] !== undefined);
  if (wrong) {
    throw new UserError(
      `--${wrong} does not go with --${values.csv === undefined ? 'generate' : 'csv'}. See --help.`,
    );
  }
}

async function published(values: Values, size: number, build: Build): Promise<Splits> {
  const open = async (place: string, digest: string | undefined): Promise<PuzzleSplit> => {
    const path = await localFile({ place, sha256: digest, downloads: values.downloads }, build.signal);
    const pair = (question: string, answer: string) => mazePair(size, question, answer);
    return { examples: readPuzzleTable(path, pair, undefined, build.reading(path)) };
  };
  const train = await open(values.csv!, values.sha256);
  const test = values['test-csv'];
  return test === undefined ? { train } : { train, test: await open(test, values['test-sha256']) };
}

/** The other seven transforms of a maze, its label transformed with it. */
const otherCopies = (maze: PuzzleExample) => dihedralCopies(maze).slice(1);

/**
 * The same, but each with a label of its own: of several shortest paths another one comes first in a maze that is
 * turned, and a model could not know which is meant.
 */
function markedCopies(size: number): (maze: PuzzleExample) => PuzzleExample[] {
  const distances = new MazeDistances(size);
  return (maze) =>
    otherCopies(maze).map(({ input }) => ({ input, label: markShortestPath(input, distances)! }));
}

/** A stream of random numbers of its own. */
const MAZE_STREAM = 0x6d617a65;

/** The length of a shortest path that makes a 30×30 maze a hard one. */
const HARD = { size: 30, minPath: 110 };

/** Mazes made, the test split first: it is the same however many there are to train on. */
function made(values: Values, size: number, seed: number, signal: AbortSignal): Splits {
  const minPath =
    wholeNumber('min-path', values['min-path'], 0) ?? (size === HARD.size ? HARD.minPath : undefined);
  if (minPath === undefined) throw new UserError(`give --min-path N for mazes of ${size}×${size}`);
  const random = new Philox(seed, MAZE_STREAM);
  const generator = new MazeGenerator(size, minPath, random);
  const breathe = breather(signal);
  const make = async function* (count: number): AsyncGenerator<PuzzleExample> {
    for (let i = 0; i < count; i++) yield await generator.next(breathe);
  };
  const test = wholeNumber('test', values.test);
  const train = wholeNumber('generate', values.generate)!;
  return { ...(test && { test: { examples: make(test) } }), train: { examples: make(train) } };
}
