/** What `hrm train` does before the first step: data, adapter, memory, trainer. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { adapterName, type Device, openDevice, UserError } from '@hrm-webgpu/core';
import { type OpenSplit, readSplit } from '../../data/dataset/dataset.node.ts';
import type { Split } from '../../data/dataset/dataset.ts';
import { totalSteps } from '../../data/dataset/sampler.ts';
import { countExamples } from '../../evaluation/evaluate.ts';
import { fileSource } from '../../formats/files/file-source.node.ts';
import { openTensorFile } from '../../formats/open-checkpoint.ts';
import type { TensorFile } from '../../formats/tensor-file.ts';
import type { AllConfig, ArchConfig } from '../../model/config.ts';
import { type CheckpointMetadata, loadTraining, readMetadata } from '../../training/checkpoint.ts';
import { evaluationRows } from '../../training/memory.ts';
import { partRows } from '../../training/micro-batches.ts';
import { Survival } from '../../training/survival.ts';
import { Trainer, type TrainerOptions } from '../../training/trainer.ts';
import { takeOver } from '../../tuning/tuning.ts';
import { checkEvalSplit, metadataFile } from '../dataset-fit.ts';
import {
  announceTuning,
  type DeviceValues,
  openGivenDevice,
  openTunedDevice,
  submitMsOf,
} from '../open-device.ts';
import { say } from '../terminal.ts';
import { augmentationOf } from './augment-option.ts';
import { fingerprint } from './dataset-fingerprint.ts';
import type { StopRules } from './early-stop.ts';
import { profileTraining } from './profile.ts';
import {
  DEFAULT_NOTES,
  expectRoom,
  latestCheckpoint,
  type RunNotes,
  type RunResult,
  runTraining,
} from './run.ts';
import { announceMemory } from './train-memory.ts';

export interface StartOptions {
  data: string;
  out: string;
  config: AllConfig;
  steps?: number;
  /** See TrainerOptions. */
  microBatch?: number;
  evalSplit?: string;
  evalEvery?: number;
  evalSample?: number;
  stop?: StopRules;
  augment: string | null;
  /** See TrainerOptions. */
  eager?: boolean;
  'trace-nan'?: boolean;
  'no-tune'?: boolean;
  'submit-ms'?: string;
  shaders?: string;
}

/**
 * Starts a run from fresh weights and trains it to its end.
 *
 * @throws UserError before anything is written where data, configuration and adapter do not go together
 */
export async function startRun(options: StartOptions): Promise<RunResult> {
  const split = await readSplit(options.data, 'train');
  const evalName = options.evalSplit ?? (existsSync(join(options.data, 'test')) ? 'test' : null);
  const evalSplit = await readEvalSplit(options.data, evalName, split, options.config.arch);
  if (!evalSplit && (options.stop?.patience || options.evalSample)) {
    throw new UserError(
      `${options.data} has no split 'test' to evaluate on: give one with --eval-split NAME`,
    );
  }
  expectRoom(options.out);
  const { eval_interval, global_batch_size } = options.config.train;
  const notes: RunNotes = {
    ...DEFAULT_NOTES,
    data: resolve(options.data),
    dataset: await fingerprint(split),
    evalSplit: evalName,
    evalEvery: options.evalEvery ?? Math.max(1, totalSteps(split.metadata, eval_interval, global_batch_size)),
    augment: options.augment,
    microBatch: options.microBatch ?? null,
    evalSample: options.evalSample ?? null,
    stop: options.stop ?? DEFAULT_NOTES.stop,
  };
  const surviving = { ...options, survival: survival(options) };
  return withFreshTrainer(surviving, split, evaluatedExamples(notes, evalSplit), (trainer) => {
    announceOperations(notes, evalSplit, trainer);
    announceEvaluation(notes, evalSplit, trainer);
    return runTraining({ trainer, folder: options.out, notes, evalSplit });
  }).finally(() => {
    split.close();
    evalSplit?.close();
  });
}

/** Prints where the time of a run's first steps goes. */
export async function profileRun(options: StartOptions): Promise<number> {
  const split = await readSplit(options.data, 'train');
  await withFreshTrainer(options, split, 0, profileTraining).finally(() => split.close());
  return 0;
}

/** @param examples those of an evaluation; 0 for a run without */
async function withFreshTrainer<T>(
  options: StartOptions & { survival?: Survival },
  split: Split,
  examples: number,
  body: (trainer: Trainer) => Promise<T>,
): Promise<T> {
  const { config, augment } = options;
  const { metadata } = split;
  const { epochs, eval_interval, global_batch_size } = config.train;
  if (options.steps === undefined && epochs % eval_interval !== 0) {
    throw new UserError(
      `eval_interval (${eval_interval}) must divide epochs (${epochs}); --set eval_interval=null makes them equal`,
    );
  }
  const steps = options.steps ?? totalSteps(metadata, epochs, global_batch_size);
  if (steps < 1)
    throw new UserError(`this run would have no steps: ${epochs} epochs of a dataset smaller than a batch`);
  const { vocab_size, seq_len, num_puzzle_identifiers } = metadata;
  const modelConfig = { ...config.arch, vocab_size, seq_len, num_puzzle_identifiers };
  const rows = partRows(global_batch_size, options.microBatch);
  const augmentation = augmentationOf(augment, options.data, metadata);
  const device = await openTunedDevice({ ...options, 'no-tune': options['no-tune'] ?? true });
  try {
    const evaluated = evaluationRows(modelConfig, device.limits, examples);
    announceMemory(device, modelConfig, { batch: global_batch_size, rows, evaluated, ema: config.train.ema });
    using trainer = await Trainer.start(device, {
      config: modelConfig,
      train: config.train,
      split,
      totalSteps: steps,
      augment: augmentation,
      microBatch: rows,
      eager: options.eager,
      trace: await traceOf(options),
      survival: options.survival,
    });
    announce(device, trainer);
    return await body(trainer);
  } finally {
    device.close();
  }
}

interface ResumeOptions extends DeviceValues {
  microBatch?: number;
  eager: boolean;
  'trace-nan'?: boolean;
}

/**
 * Goes on with the run of a folder.
 *
 * @throws UserError where there is no run, or its data are no longer what they were
 */
export async function resumeRun(out: string, options: ResumeOptions): Promise<RunResult> {
  const file = await openTensorFile(await fileSource(latestCheckpoint(out)));
  try {
    const saved = await readRun(file);
    const { notes, split, evalSplit } = saved;
    notes.microBatch = options.microBatch ?? notes.microBatch;
    const device = await openGivenDevice(options);
    try {
      using trainer = await resumeTrainer(device, file, saved, options);
      announce(device, trainer);
      announceOperations(notes, evalSplit, trainer);
      announceEvaluation(notes, evalSplit, trainer);
      return await runTraining({ trainer, folder: out, notes, evalSplit });
    } finally {
      split.close();
      evalSplit?.close();
      device.close();
    }
  } finally {
    await file.close();
  }
}

/** A saved run and its data. */
interface SavedRun {
  metadata: CheckpointMetadata;
  training: SavedTraining;
  notes: RunNotes;
  split: OpenSplit;
  evalSplit?: OpenSplit;
}

type SavedTraining = NonNullable<CheckpointMetadata['training']>;

async function readRun(file: TensorFile): Promise<SavedRun> {
  const metadata = readMetadata(file);
  if (!metadata)
    throw new UserError(`${file.name} is not a checkpoint of this program: it cannot be resumed`);
  const { config, training } = metadata;
  if (!training) throw new UserError(`${file.name} holds weights only: training cannot be resumed from it`);
  const notes = { ...DEFAULT_NOTES, ...training.notes } as unknown as RunNotes;
  const split = await readSplit(notes.data, 'train');
  if ((await fingerprint(split)) !== notes.dataset) {
    throw new UserError(`${notes.data} is not the dataset that this run was started on; put that one back`);
  }
  const evalSplit = await readEvalSplit(notes.data, notes.evalSplit, split, config);
  return { metadata, training, notes, split, evalSplit };
}

async function resumeTrainer(
  device: Device,
  file: TensorFile,
  { metadata, training, notes, split, evalSplit }: SavedRun,
  values: ResumeOptions,
): Promise<Trainer> {
  const { config } = metadata;
  const { eager, 'no-tune': noTune } = values;
  const { global_batch_size, ema } = training.train;
  const rows = partRows(global_batch_size, notes.microBatch ?? undefined);
  const augment = augmentationOf(notes.augment, notes.data, split.metadata);
  // The run goes on as it was tuned when it started, whatever has been tuned since.
  const note = takeOver(device, training.tuning, noTune);
  if (note) say(note);
  const evaluated = evaluationRows(config, device.limits, evaluatedExamples(notes, evalSplit));
  announceMemory(device, config, { batch: global_batch_size, rows, evaluated, ema });
  const { training: _training, ...state } = await loadTraining(device, file, metadata, { microBatch: rows });
  const { train, progress } = training;
  const { totalSteps } = progress;
  const options = {
    config,
    train,
    split,
    totalSteps,
    augment,
    microBatch: rows,
    eager,
    trace: await traceOf(values),
    survival: survival(values),
  };
  return Trainer.resume(options, state, progress);
}

/** What looks at the numbers of a step, where that is asked for. */
async function traceOf({
  'trace-nan': wanted,
}: Pick<StartOptions, 'trace-nan'>): Promise<TrainerOptions['trace']> {
  if (!wanted) return undefined;
  const { NonFiniteTrace } = await import('@hrm-webgpu/kernels/checks');
  return ({ device, weights }) => new NonFiniteTrace(device, weights);
}

/** What a run does when the GPU is lost. */
function survival(values: Pick<DeviceValues, 'submit-ms'>): Survival {
  return new Survival(
    () => openDevice({ submitMs: submitMsOf(values) }),
    (_, attempt) =>
      say(`\nthe GPU was lost: opening it again (attempt ${attempt}) and repeating the last steps…`),
  );
}

/** The split to evaluate on, made sure to be one for the model that trains on `split`. */
async function readEvalSplit(
  data: string,
  name: string | null,
  { metadata }: Split,
  { puzzle_emb_ndim }: ArchConfig,
): Promise<OpenSplit | undefined> {
  if (name === null) return undefined;
  const evalSplit = await readSplit(data, name);
  checkEvalSplit(
    evalSplit.metadata,
    { ...metadata, puzzle_emb_ndim },
    { evaluated: metadataFile(data, name), trained: metadataFile(data, 'train') },
  );
  return evalSplit;
}

function announce(device: Device, { model, options, step }: Trainer): void {
  const parameters = model.trained.reduce((sum, [, { size }]) => sum + size, 0);
  say(`adapter: ${adapterName(device)}`);
  say(
    `model: ${(parameters / 1e6).toFixed(2)} M parameters, T = ${model.positions}, M = ${model.config.halt_max_steps}; ` +
      `steps ${step + 1} to ${options.totalSteps}, batch ${describeBatch(options)}`,
  );
}

function describeBatch({ train: { global_batch_size: batch }, microBatch = batch }: TrainerOptions): string {
  return microBatch === batch ? `${batch}` : `${batch} (${microBatch} rows at a time)`;
}

function evaluatedExamples({ evalSample }: RunNotes, split: Split | undefined): number {
  return split ? Math.min(countExamples(split), evalSample ?? Number.POSITIVE_INFINITY) : 0;
}

function announceOperations(notes: RunNotes, split: Split | undefined, { model, carries }: Trainer): void {
  const examples = evaluatedExamples(notes, split);
  const evaluated = evaluationRows(model.config, model.device.limits, examples);
  announceTuning(model, { training: carries[0].batch, inference: evaluated > 0 ? [evaluated] : [] });
}

function announceEvaluation(
  { evalSample, evalSplit: name }: RunNotes,
  split: Split | undefined,
  { options }: Trainer,
): void {
  if (!split || !evalSample) return;
  const examples = countExamples(split);
  if (evalSample >= examples) return;
  say(
    `evaluation: a random sample of ${evalSample} of ${examples} examples of '${name}' (seed ${options.train.seed})`,
  );
}
