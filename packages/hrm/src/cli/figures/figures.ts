import { join } from 'node:path';
import { UserError } from '@hrm-webgpu/core';
import { loadModelFile } from '../../checkpoints/model-file.node.ts';
import { readSplit } from '../../data/dataset/dataset.node.ts';
import { type Evaluation, evaluate } from '../../evaluation/evaluate.ts';
import { drawPuzzles, hasLabels } from '../../figures/puzzles.ts';
import { type IntermediateAnswers, measureAnswers } from '../../figures/trajectories.ts';
import { writeFileAtomic } from '../../formats/files/atomic-write.node.ts';
import { makeFolder } from '../../formats/files/make-folder.node.ts';
import { guessingOf } from '../../guesses/guessing.ts';
import { countSymmetries } from '../../guesses/symmetry.ts';
import { symmetriesOf } from '../../guesses/task-symmetries.ts';
import type { Guessing } from '../../guesses/think.ts';
import { initializeModel } from '../../model/init.ts';
import { trunkConfig } from '../../model/load.ts';
import type { HrmModel } from '../../model/model.ts';
import type { Task, TokenSizes } from '../../tasks/tasks.ts';
import { evaluationRows } from '../../training/memory.ts';
import { recordInference } from '../../tuning/tuning-uses.ts';
import { verifyKernels } from '../../tuning/verify.ts';
import { type Command, parse, wholeNumber } from '../command.ts';
import { checkModelFit, metadataFile } from '../dataset-fit.ts';
import { deviation } from '../guess-options.ts';
import { untilInterrupted } from '../interrupt.ts';
import { DEVICE_HELP, DEVICE_OPTIONS, openTunedDevice } from '../open-device.ts';
import { chooseTask, TASK_NAMES } from '../task-option.ts';
import { duration, ProgressBar, print, say } from '../terminal.ts';
import { answers } from './answers.ts';
import { loadPlotting } from './drawing/plotting.ts';
import type { Figure, FigureContext } from './figure.ts';
import { guesses } from './guesses.ts';
import { halting } from './halting.ts';
import { participation } from './participation.ts';
import { residuals } from './residuals.ts';
import { segments } from './segments.ts';
import { trajectories } from './trajectories.ts';

const FIGURES: readonly Figure[] = [
  residuals,
  participation,
  trajectories,
  answers,
  segments,
  halting,
  guesses,
];

const OPTIONS = {
  data: { type: 'string' },
  split: { type: 'string', default: 'test' },
  out: { type: 'string' },
  task: { type: 'string' },
  puzzles: { type: 'string', default: '100' },
  sample: { type: 'string', default: '128' },
  'max-steps': { type: 'string' },
  guesses: { type: 'string', default: '8' },
  noise: { type: 'string' },
  seed: { type: 'string', default: '0' },
  ...DEVICE_OPTIONS,
} as const;

export const figures: Command = {
  summary: 'draw what happens within a model: residuals, dimensions, ways, answers, accuracies',
  help: `usage: hrm figures <checkpoint or run folder> [NAME…] --data DIR --out DIR [options]

Measures a model on puzzles of a dataset and writes each figure as NAME.svg, legible on light and dark pages, and its
numbers as NAME.csv; files of these names are replaced. Without a name all figures are made:

${FIGURES.map(({ name, summary }) => `  ${name.padEnd(18)}${summary}`).join('\n')}

The drawing is done by Observable Plot: npm install @observablehq/plot linkedom

  --data DIR        a dataset in the published format
  --out DIR         the folder for the figures; made if it is not there
  --split NAME      the split; default 'test'
  --puzzles N       puzzles whose states are looked at, drawn at random; default 100
  --sample N        puzzles whose right answers are counted, drawn at random; default 128
  --max-steps N     the most segments for accuracies; default four times the model's halt_max_steps
  --guesses N       the most guesses; default 8
  --noise S         what guesses differ by beside symmetries, see 'hrm eval'; default 0, and 0.3 for tasks that have
                    too few symmetries
  --seed N          of samples, guesses and the untrained control; default 0
  --task NAME       what the grids are: ${TASK_NAMES}; default what the dataset says, or else what its sizes
                    suggest
${DEVICE_HELP}`,

  async run(args) {
    const { values, positionals } = parse(args, OPTIONS);
    const [path, ...names] = positionals;
    if (path === undefined)
      throw new UserError('expected one checkpoint or run folder, got none. See --help.');
    const chosen = names.length === 0 ? FIGURES : names.map(figureNamed);
    const { data, out } = values;
    if (!data) throw new UserError('give the dataset with --data DIR');
    if (!out) throw new UserError('give the folder for the figures with --out DIR');
    return untilInterrupted((signal) => run(path, chosen, { ...values, data, out }, signal));
  },
};

type Values = ReturnType<typeof parse<typeof OPTIONS>>['values'] & { data: string; out: string };

function figureNamed(name: string): Figure {
  const figure = FIGURES.find((known) => known.name === name);
  if (figure) return figure;
  throw new UserError(
    `there is no figure '${name}'; there are ${FIGURES.map((known) => known.name).join(', ')}`,
  );
}

async function run(
  path: string,
  chosen: readonly Figure[],
  values: Values,
  signal: AbortSignal,
): Promise<number> {
  const number = (name: 'puzzles' | 'sample' | 'guesses', least = 1) =>
    wholeNumber(name, values[name], least) as number;
  const seed = wholeNumber('seed', values.seed, 0) as number;
  const limit = wholeNumber('max-steps', values['max-steps']);
  const sample = { size: number('sample'), seed };
  const noise = values.noise === undefined ? undefined : deviation(values.noise);
  const plotting = await loadPlotting();
  const split = await readSplit(values.data, values.split, signal);
  try {
    const { task } = chooseTask(values.task, split.metadata.task, split.metadata);
    const puzzles = drawPuzzles(split, number('puzzles'), seed);
    checkLabels(chosen, hasLabels(puzzles.batch), values);
    const guessing = guessingFor(task, split.metadata, { count: number('guesses'), noise, seed });
    await withModel(path, split.metadata, values, signal, async (model, control) => {
      const batchSize = evaluationRows(model.config, model.device.limits, sample.size);
      const maxSteps = limit ?? 4 * model.config.halt_max_steps;
      await verifyKernels(
        model,
        () => recordInference(model, batchSize, guessing.guessing.makeCompanion),
        signal,
      );
      const common = {
        ...{ model, split, sample, batchSize, signal, maxSteps, puzzles, task, plotting },
        ...guessing,
      };
      await makeAll(chosen, { ...common, control }, values.out);
    });
    return 0;
  } finally {
    split.close();
  }
}

/** @throws UserError where right answers are to be counted and nobody knows them */
function checkLabels(chosen: readonly Figure[], labelled: boolean, { data, split }: Values): void {
  const wanting = chosen.filter(({ needsLabels }) => needsLabels).map(({ name }) => name);
  if (labelled || wanting.length === 0) return;
  const others = FIGURES.filter(({ needsLabels }) => !needsLabels).map(({ name }) => name);
  throw new UserError(
    `${join(data, split)} has no labels, which ${wanting.join(', ')} count right answers by: ask for ${others.join(', ')}`,
  );
}

/** What tells guesses apart where a task has fewer symmetries than there are guesses. */
const DEFAULT_NOISE = 0.3;

/**
 * The copies of an ARC task in a dataset are its symmetries, with embeddings of their own: its guesses differ by noise, as
 * for `hrm eval`.
 */
function guessingFor(
  task: Task,
  sizes: TokenSizes,
  { count, noise, seed }: { count: number; noise: number | undefined; seed: number },
): { guessing: Guessing; guessesBy: string } {
  const families = task === 'arc' ? [] : symmetriesOf(task, sizes);
  const different = countSymmetries(families);
  const sigma = noise ?? (count > different ? DEFAULT_NOISE : 0);
  const symmetries = families.map(({ name }) => name);
  const by = [...symmetries, ...(sigma > 0 ? [`noise of ${sigma}`] : [])];
  return {
    guessing: guessingOf(task, sizes, { count, noise: sigma, seed, symmetries, all: true }),
    guessesBy: by.join(', ') || 'nothing',
  };
}

/** Opens the adapter and loads the model; the untrained control is made when it is asked for. */
async function withModel(
  path: string,
  metadata: Parameters<typeof checkModelFit>[0],
  values: Values,
  signal: AbortSignal,
  body: (model: HrmModel, control: () => Promise<HrmModel>) => Promise<void>,
): Promise<void> {
  const device = await openTunedDevice(values);
  try {
    const model = await loadModelFile(device, path, metadata.seq_len, { signal });
    checkModelFit(metadata, model.config, metadataFile(values.data, values.split), path);
    const seed = wholeNumber('seed', values.seed, 0) as number;
    await body(
      model,
      once(() => initializeModel(device, trunkConfig(model.config), seed, { signal })),
    );
  } finally {
    device.close();
  }
}

async function makeAll(
  chosen: readonly Figure[],
  common: Omit<FigureContext, 'progress' | 'fixed' | 'answers'>,
  out: string,
): Promise<void> {
  const { model, split, sample, batchSize, maxSteps, puzzles, signal } = common;
  const began = performance.now();
  let bar: ProgressBar | undefined;
  const progress = (label: string) => {
    bar = new ProgressBar(label.padEnd(14));
    return (done: number, total: number) => bar?.update(done, total, '');
  };
  const context: FigureContext = {
    ...common,
    progress,
    fixed: once((): Promise<Evaluation> => {
      const onProgress = progress('accuracy');
      return evaluate(model, split, { sample, batchSize, maxSteps, perSegment: true, signal, onProgress });
    }),
    answers: once((): Promise<IntermediateAnswers[]> => {
      const options = { segments: model.config.halt_max_steps, signal, onProgress: progress('answers') };
      return measureAnswers(model, puzzles.batch, options);
    }),
  };
  makeFolder(out);
  try {
    for (const figure of chosen) {
      const { svg, csv } = await figure.make(context);
      bar?.clear();
      for (const [extension, text] of Object.entries({ svg, csv })) {
        const file = join(out, `${figure.name}.${extension}`);
        await writeFileAtomic(file, [new TextEncoder().encode(text)]);
        print(file);
      }
    }
  } finally {
    bar?.clear();
  }
  say(
    `${chosen.length === 1 ? 'one figure' : `${chosen.length} figures`} in ${duration((performance.now() - began) / 1000)}`,
  );
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
