import { Philox, UserError } from '@hrm-webgpu/core';
import { holdOut } from '../../data/hold-out.ts';
import type { PuzzleExample } from '../../data/input/puzzle-example.ts';
import {
  checkedPuzzles,
  type PuzzleSplit,
  type ReadOptions,
  readPuzzleTable,
  readSudokuList,
} from '../../data/input/puzzle-files.node.ts';
import { type SudokuShape, sudokuGrid, sudokuShape } from '../../data/sudoku/sudoku.ts';
import { SudokuAugmenter } from '../../data/sudoku/sudoku-augment.ts';
import { SudokuMaker } from '../../data/sudoku/sudoku-dataset.ts';
import { sudokuFingerprint } from '../../data/sudoku/sudoku-fingerprint.ts';
import { easierTwin } from '../../data/sudoku/sudoku-hints.ts';
import { ambiguity, solvedSudoku, sudokuPair } from '../../data/sudoku/sudoku-source.ts';
import { type Command, parse, wholeNumber } from '../command.ts';
import { untilInterrupted } from '../interrupt.ts';
import { say } from '../terminal.ts';
import { Build, outFolder, sampled } from './build.ts';
import { localFile, SOURCE_HELP, SOURCE_OPTIONS } from './source.ts';

export const dataSudoku: Command = {
  summary: 'Sudoku, from the published tables, from puzzle lists, or made',
  help: `usage: hrm data sudoku --csv FILE|URL [--test-csv FILE|URL] --out DIR [--min-difficulty N] [options]
       hrm data sudoku --puzzles FILE|URL [--test-puzzles FILE|URL | --test N] --out DIR [options]
       hrm data sudoku --generate N [--test N] [--blanks FEW-MANY] --out DIR [options]

Builds a Sudoku dataset; subsampling and augmentation are for training only.

  --csv, --test-csv          tables with the columns question and answer, as published, or puzzle and solution, or quizzes
                             and solutions; rating for --min-difficulty. Puzzles that go into the dataset must have no
                             other solution than their answer
  --trust-answers            do not prove that, which takes most of the time of a large table; answers are still checked
                             against the rules and their questions
  --puzzles, --test-puzzles  lists of puzzles in text, one a line or as grids, also with strokes between boxes or as JSON
                             (docs/data.md has every form). They are solved, and each must have one solution
  --generate N               make N puzzles
  --test N                   keep N puzzles of the list for the test split, drawn at random; or make N more
  --blanks FEW-MANY          blanks of the puzzles made; default a quarter to half of the cells
  --size 4|6|9               rows and columns; default 9
  --min-difficulty N         leave out puzzles with a lower rating (of both splits, as the published script does)
  --subsample N              train on N puzzles, drawn at random
  --augment N                N copies of every training puzzle: transposed, bands, rows, stacks, columns, digits permuted
  --hints                    beside every training puzzle and copy, in its group, an easier twin: a random number of its
                             blanks given
  --seed N                   default 0
  --skip-bad                 leave out bad lines instead of stopping
${SOURCE_HELP}`,

  async run(args) {
    const { values, positionals } = parse(args, {
      ...SOURCE_OPTIONS,
      csv: { type: 'string' },
      'test-csv': { type: 'string' },
      puzzles: { type: 'string' },
      'test-puzzles': { type: 'string' },
      generate: { type: 'string' },
      test: { type: 'string' },
      blanks: { type: 'string' },
      size: { type: 'string', default: '9' },
      'min-difficulty': { type: 'string' },
      subsample: { type: 'string' },
      augment: { type: 'string' },
      hints: { type: 'boolean', default: false },
      seed: { type: 'string' },
      'skip-bad': { type: 'boolean', default: false },
      'trust-answers': { type: 'boolean' },
      out: { type: 'string' },
    });
    if (positionals.length > 0) throw new UserError(`unexpected argument '${positionals[0]}'. See --help.`);
    checkCombination(values);
    const out = outFolder(values.out);
    const shape = sudokuShape(wholeNumber('size', values.size)!);
    const seed = wholeNumber('seed', values.seed, 0) ?? 0;
    const subsample = wholeNumber('subsample', values.subsample);
    const copies = wholeNumber('augment', values.augment, 0) ?? 0;
    return untilInterrupted(async (signal) => {
      const build = new Build(signal, values['skip-bad']);
      const splits = await sources(values, shape, seed, build);
      if (subsample) splits.train.examples = sampled(splits.train.examples, subsample, seed);
      for (const split of Object.values(splits)) {
        if (split.proof) split.examples = provenOnly(shape, split.examples, split.proof);
      }
      if (copies > 0) splits.train.copies = augmented(shape, copies, seed);
      if (values.hints) splits.train.copies = withTwins(splits.train.copies, seed);
      const task = 'sudoku' as const;
      const format = {
        seq_len: shape.cells,
        vocab_size: shape.size + 2,
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
  puzzles?: string;
  'test-puzzles'?: string;
  generate?: string;
  test?: string;
  blanks?: string;
  'min-difficulty'?: string;
  'trust-answers'?: boolean;
  sha256?: string;
  'test-sha256'?: string;
  downloads: string;
}

/** What each kind of source can be combined with. */
const COMPANIONS: Record<'csv' | 'puzzles' | 'generate', (keyof Values)[]> = {
  csv: ['test-csv', 'min-difficulty', 'trust-answers', 'sha256', 'test-sha256'],
  puzzles: ['test-puzzles', 'test', 'sha256', 'test-sha256'],
  generate: ['test', 'blanks'],
};

function checkCombination(values: Values): void {
  const kinds = (['csv', 'puzzles', 'generate'] as const).filter((kind) => values[kind] !== undefined);
  if (kinds.length !== 1) throw new UserError('give one of --csv, --puzzles and --generate. See --help.');
  const others = new Set(Object.values(COMPANIONS).flat());
  for (const name of others) {
    if (values[name] !== undefined && !COMPANIONS[kinds[0]].includes(name)) {
      throw new UserError(`--${name} does not go with --${kinds[0]}. See --help.`);
    }
  }
  if (values['test-puzzles'] !== undefined && values.test !== undefined) {
    throw new UserError('give --test-puzzles or --test, not both: they are two ways to get a test split');
  }
}

/** Streams of random numbers, so that one option does not change what another one draws. */
const STREAMS = { augment: 0x61756773, test: 0x74657374, hints: 0x68696e74 };

interface Source extends PuzzleSplit {
  /** Where answers were given and not found: gets the puzzles whose answer is not proven to be the only one. */
  proof?: ReadOptions;
}

type Splits = Record<string, Source> & { train: Source };

async function sources(values: Values, shape: SudokuShape, seed: number, build: Build): Promise<Splits> {
  const testSize = wholeNumber('test', values.test);
  if (values.generate !== undefined) {
    const train = wholeNumber('generate', values.generate)!;
    return generated(shape, train, testSize, values.blanks, seed);
  }
  const minRating = wholeNumber('min-difficulty', values['min-difficulty'], 0);
  const open = async (place: string, digest: string | undefined): Promise<Source> => {
    const path = await localFile({ place, sha256: digest, downloads: values.downloads }, build.signal);
    const options = build.reading(path);
    if (values.csv === undefined) {
      return { examples: readSudokuList(path, shape, (cells) => solvedSudoku(shape, cells), options) };
    }
    const pair = (question: string, answer: string) => sudokuPair(shape, question, answer);
    const examples = readPuzzleTable(path, pair, minRating, options);
    return values['trust-answers'] ? { examples } : { examples, proof: build.reading(path) };
  };
  const train = await open((values.csv ?? values.puzzles)!, values.sha256);
  const test = values['test-csv'] ?? values['test-puzzles'];
  if (test !== undefined) return { train, test: await open(test, values['test-sha256']) };
  return testSize ? heldOut(shape, train.examples, testSize, seed) : { train };
}

/** The examples of tables whose answer is proven to be the only one; after sampling, as the proof takes longest. */
function provenOnly(shape: SudokuShape, examples: PuzzleSplit['examples'], proof: ReadOptions) {
  return checkedPuzzles(examples, (example) => ambiguity(shape, example), proof);
}

/** A test split drawn from the examples, and the others without puzzles that are equivalent to one of it. */
async function heldOut(
  shape: SudokuShape,
  examples: PuzzleSplit['examples'],
  count: number,
  seed: number,
): Promise<Splits> {
  const all: PuzzleExample[] = [];
  for await (const example of examples) all.push(example);
  if (all.length <= count) {
    throw new UserError(`--test ${count} leaves nothing to train on: there are ${all.length} puzzles`);
  }
  const kind = ({ input }: PuzzleExample) => sudokuFingerprint(shape, sudokuGrid(input));
  const { train, test, copies } = holdOut(all, count, kind, new Philox(seed, STREAMS.test));
  if (copies > 0) say(`left out ${copies} puzzles that are equivalent to one of the test split`);
  return { train: { examples: train }, test: { examples: test } };
}

/** Puzzles made, the test split first: it is the same however many there are to train on. */
function generated(
  shape: SudokuShape,
  train: number,
  test: number | undefined,
  blanks: string | undefined,
  seed: number,
): Splits {
  const [, least, most] = blanks?.match(/^(\d+)-(\d+)$/) ?? [];
  if (blanks !== undefined && least === undefined) {
    throw new UserError(`--blanks ${blanks}: expected the fewest and the most, like 4-8`);
  }
  const minBlanks = Number(least ?? Math.round(shape.cells / 4));
  const maxBlanks = Number(most ?? Math.round(shape.cells / 2));
  const maker = new SudokuMaker({ shape, minBlanks, maxBlanks, seed });
  return { ...(test && { test: { examples: maker.make(test) } }), train: { examples: maker.make(train) } };
}

/** Makes random copies. */
function augmented(shape: SudokuShape, count: number, seed: number) {
  const augmenter = new SudokuAugmenter(shape, new Philox(seed, STREAMS.augment));
  return function* (example: PuzzleExample): Generator<PuzzleExample> {
    for (let i = 0; i < count; i++) yield augmenter.next(example);
  };
}

/** Twins of a puzzle and of its copies, each beside its own. */
function withTwins(copies: PuzzleSplit['copies'], seed: number) {
  const random = new Philox(seed, STREAMS.hints);
  return function* (example: PuzzleExample): Generator<PuzzleExample> {
    const own = easierTwin(example, random);
    if (own) yield own;
    for (const copy of copies?.(example) ?? []) {
      yield copy;
      const twin = easierTwin(copy, random);
      if (twin) yield twin;
    }
  };
}
