import { existsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { UserError } from '@hrm-webgpu/core';
import { knownConfig } from '../../checkpoints/checkpoint-context.ts';
import { findCheckpoint, loadModels, readContext } from '../../checkpoints/model-file.node.ts';
import { readSplit } from '../../data/dataset/dataset.node.ts';
import type { DatasetMetadata } from '../../data/dataset/dataset.ts';
import type { Meaning } from '../../data/dataset/dataset-metadata.ts';
import { countExamples, type Evaluation } from '../../evaluation/evaluate.ts';
import { writeFileAtomic } from '../../formats/files/atomic-write.node.ts';
import { fileSource } from '../../formats/files/file-source.node.ts';
import { openTensorFile } from '../../formats/open-checkpoint.ts';
import { type GuessingOptions, guessingOf } from '../../guesses/guessing.ts';
import type { Guessing } from '../../guesses/think.ts';
import type { Task } from '../../tasks/tasks.ts';
import { evaluationRows } from '../../training/memory.ts';
import { recordInference } from '../../tuning/tuning-uses.ts';
import { verifyKernels } from '../../tuning/verify.ts';
import { announcePart } from '../announce-part.ts';
import { type Command, onePositional, parse, wholeNumber } from '../command.ts';
import { checkModelFit, metadataFile } from '../dataset-fit.ts';
import { allCheckpoints, GUESS_OPTIONS, guessesAsked, guessHelp, loadChecker } from '../guess-options.ts';
import { untilInterrupted } from '../interrupt.ts';
import { announceTuning, DEVICE_HELP, DEVICE_OPTIONS, openTunedDevice } from '../open-device.ts';
import { chooseTask, TASK_NAMES } from '../task-option.ts';
import { print, printJson, say } from '../terminal.ts';
import { evaluateWithBar } from '../train/loop/run.ts';
import { printEvaluation, printTask } from './report.ts';
import { makeCheck, type TaskReport } from './task.ts';

const OPTIONS = {
  data: { type: 'string' },
  split: { type: 'string', default: 'test' },
  'max-steps': { type: 'string' },
  act: { type: 'boolean', default: false },
  'per-segment': { type: 'boolean', default: false },
  sample: { type: 'string' },
  task: { type: 'string' },
  submission: { type: 'string' },
  batch: { type: 'string' },
  ...GUESS_OPTIONS,
  'all-guesses': { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  ...DEVICE_OPTIONS,
} as const;

export const evaluateCommand: Command = {
  summary: 'evaluate a checkpoint on a dataset',
  help: `usage: hrm eval <checkpoint or run folder> --data DIR [options]

Runs every example of a split for halt_max_steps segments, as published, and prints the metrics of the last one with
95 % intervals. Sudoku answers are checked against the rules, maze answers for being (shortest) paths; ARC answers of
all augmentations vote, and a task is solved at K if the K first answers hold the right one for each test input.

  --data DIR          a dataset in the published format
  --split NAME        the split; default 'test'
  --max-steps N       segments at most; default the model's halt_max_steps, more than it was trained with is allowed
  --act               rows halt as soon as q_halt > q_continue, and the next examples take their places
  --per-segment       the accuracy after every segment as well; not with --act
  --sample N          a random sample of N examples, drawn by --seed N
  --task NAME         what the grids are: ${TASK_NAMES}; default what the dataset says, or else what its
                      sizes suggest
  --submission FILE   ARC: the two best answers of every test input as JSON, as ARC Prize takes it; replaces FILE
  --batch N           examples at a time; default 128, fewer where the adapter's limits want it
  --json              one JSON document on stdout
${guessHelp(20)}
  --all-guesses       make every guess of every puzzle to its end, and tell what 1, 2, 4, … of them are worth
${DEVICE_HELP}`,

  async run(args) {
    const { values, positionals } = parse(args, OPTIONS);
    const path = onePositional(positionals, 'one checkpoint or run folder');
    if (!values.data) throw new UserError('give the dataset with --data DIR');
    if (values.act && values['per-segment']) {
      throw new UserError('--per-segment looks at rows that all run equally long: leave it or --act out');
    }
    return untilInterrupted((signal) => run(path, { ...values, data: values.data as string }, signal));
  },
};

type Values = ReturnType<typeof parse<typeof OPTIONS>>['values'] & { data: string };

async function run(path: string, values: Values, signal: AbortSignal): Promise<number> {
  const { data } = values;
  const paths = allCheckpoints(path, values.checkpoints);
  const guesses = guessesAsked(values, paths.length);
  const sample = sampleOf(values, guesses !== undefined);
  const batchSize = wholeNumber('batch', values.batch);
  const limit = wholeNumber('max-steps', values['max-steps']);
  const split = await readSplit(data, values.split, signal);
  const meanings: Meaning[] = [];
  for (const one of paths)
    meanings.push(await checkFit(one, split.metadata, metadataFile(data, values.split)));
  const declared = split.metadata.task ?? meanings[0].task;
  const { task, guessed } = chooseTask(values.task, declared, split.metadata);
  if (values.submission !== undefined) checkSubmission(values.submission, task, values);
  const check = task === 'none' ? undefined : await makeCheck(task, split.metadata, data);
  const guessing = guesses && (await guessingFor(task, split.metadata, guesses, paths.length, values));
  signal.throwIfAborted();
  const device = await openTunedDevice(values);
  try {
    const [model, ...checkpoints] = await loadModels(device, paths, split.metadata.seq_len);
    const maxSteps = limit ?? model.config.halt_max_steps;
    const rows = batchSize ?? evaluationRows(model.config, device.limits);
    const evaluated = Math.min(rows, sample?.size ?? rows, countExamples(split));
    if (evaluated > 0) {
      announceTuning(model, { inference: [evaluated] });
      await verifyKernels(model, () => recordInference(model, evaluated, guessing?.makeCompanion), signal);
    }
    const result = await evaluateWithBar(model, split, 'evaluate', {
      ...{ batchSize, sample, signal, maxSteps, guessing, checkpoints },
      haltEarly: values.act,
      perSegment: values['per-segment'],
      onAnswer: (answer) => check?.add({ ...answer, prediction: answer.selection.guess.tokens }),
    });
    if (values.submission !== undefined && check?.submission) {
      const text = `${JSON.stringify(check.submission())}\n`;
      await writeFileAtomic(values.submission, [new TextEncoder().encode(text)]);
      say(`${values.submission}: the submission`);
    }
    const examples = countExamples(split);
    const subject = { checkpoint: path, data, split: values.split, examples, sample: sample ?? null };
    const findings = { result, task, guessed, report: check?.report() };
    show({ ...subject, max_steps: maxSteps, act: values.act }, findings, values.json);
    return 0;
  } finally {
    split.close();
    device.close();
  }
}

function show(subject: Subject, { result, task, guessed, report }: Findings, json: boolean): void {
  if (json) {
    const checked = report && { [task]: report.shares, notes: report.notes };
    printJson({ ...subject, ...result, ...checked });
    return;
  }
  print(describe(subject));
  printEvaluation(result);
  if (report) printTask(guessed ? `${task} (by the sizes alone: see --task)` : task, report);
}

interface Findings {
  result: Evaluation;
  task: Task;
  guessed: boolean;
  report?: TaskReport;
}

/** What was evaluated and how, by the keys of the JSON document. */
interface Subject {
  checkpoint: string;
  data: string;
  split: string;
  examples: number;
  sample: { size: number; seed: number } | null;
  max_steps: number;
  act: boolean;
}

function describe({ data, split, examples, sample, max_steps, act }: Subject): string {
  const which =
    sample && sample.size < examples
      ? `a random sample of ${sample.size} of ${examples} examples (seed ${sample.seed})`
      : `${examples} examples`;
  const how = act ? `halting by q, after ${max_steps} segments at most` : `${max_steps} segments each`;
  return `${data}, '${split}': ${which}, ${how}`;
}

function sampleOf(values: Values, guesses: boolean): { size: number; seed: number } | undefined {
  const size = wholeNumber('sample', values.sample);
  const seed = wholeNumber('seed', values.seed, 0);
  if (size !== undefined) return { size, seed: seed ?? 0 };
  if (seed !== undefined && !guesses)
    throw new UserError('--seed draws samples and guesses: give --sample N or --guesses N');
  return undefined;
}

/**
 * How guesses are made. The copies of an ARC task in a dataset are its symmetries, each with an embedding of its own, and
 * vote already: there guesses differ by noise and checkpoint alone.
 */
async function guessingFor(
  task: Task,
  metadata: DatasetMetadata,
  options: GuessingOptions,
  checkpoints: number,
  values: Values,
): Promise<Guessing> {
  if (task === 'arc' && !options.noise && options.count > checkpoints) {
    throw new UserError(
      `--guesses ${options.count}: the copies of an ARC task in the dataset are its symmetries, and vote already. Let ` +
        '--noise or --checkpoints tell guesses apart.',
    );
  }
  const checker = values.check === undefined ? undefined : await loadChecker(values.check, task);
  const symmetries = task === 'arc' ? [] : options.symmetries;
  const all = values['all-guesses'];
  return guessingOf(
    task,
    metadata,
    { ...options, ...(symmetries && { symmetries }), checker, all, declared: metadata.symmetries },
    checkpoints,
  );
}

/** @throws UserError, before the evaluation rather than after it, where there is nothing to write or no place for it */
function checkSubmission(file: string, task: Task, { data, sample }: Values): void {
  if (task !== 'arc') {
    throw new UserError(`--submission is for ARC; ${data} is evaluated as '${task}' (see --task)`);
  }
  if (sample !== undefined) throw new UserError('--submission needs all examples: leave it or --sample out');
  if (existsSync(file) && statSync(file).isDirectory()) {
    throw new UserError(`${file} is a folder; name a file in it`);
  }
  if (!existsSync(dirname(file))) {
    throw new UserError(`${file}: there is no folder ${dirname(file)}. Create it or choose another name.`);
  }
}

/**
 * What the checkpoint says of its grids.
 *
 * @throws UserError where the model was made for other data; before any of its weights is read
 */
async function checkFit(path: string, split: DatasetMetadata, metadataPath: string): Promise<Meaning> {
  const file = await openTensorFile(await fileSource(findCheckpoint(path)));
  try {
    announcePart(file);
    const context = await readContext(file);
    checkModelFit(split, knownConfig(file, context), metadataPath, path);
    return context.meaning ?? {};
  } finally {
    await file.close();
  }
}
