/** What `hrm train` does before the first step: data, adapter, memory, trainer. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Device, openDevice, type Philox, UserError } from '@hrm-webgpu/core';
import { loadTraining, readMetadata } from '../checkpoint.ts';
import type { AllConfig } from '../config.ts';
import { relabelDigits } from '../data/augment.ts';
import { readSplit } from '../data/dataset.node.ts';
import type { DatasetMetadata, Split } from '../data/dataset.ts';
import { type Batch, totalSteps } from '../data/sampler.ts';
import { countExamples } from '../evaluate.ts';
import { fileSource } from '../formats/file-source.node.ts';
import { openTensorFile } from '../formats/open-checkpoint.ts';
import { evaluationRows } from '../memory.ts';
import { partRows } from '../micro-batches.ts';
import { type Augmentation, Trainer, type TrainerOptions } from '../trainer.ts';
import { adapterName, applyChoices, tuningRecord } from '../tuning.ts';
import type { StopRules } from './early-stop.ts';
import { openTunedDevice } from './open-device.ts';
import { profileTraining } from './profile.ts';
import {
  DEFAULT_NOTES,
  expectRoom,
  latestCheckpoint,
  type RunNotes,
  type RunResult,
  runTraining,
} from './run.ts';
import { say } from './terminal.ts';
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
  'no-tune'?: boolean;
}

/** Starts a run from fresh weights and trains it to its end. */
export async function startRun(options: StartOptions): Promise<RunResult> {
  const split = await readSplit(options.data, 'train');
  const evalName = options.evalSplit ?? (existsSync(join(options.data, 'test')) ? 'test' : null);
  const evalSplit = evalName ? await readSplit(options.data, evalName) : undefined;
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
    dataset: fingerprint(split),
    evalSplit: evalName,
    evalEvery: options.evalEvery ?? Math.max(1, totalSteps(split.metadata, eval_interval, global_batch_size)),
    augment: options.augment,
    microBatch: options.microBatch ?? null,
    evalSample: options.evalSample ?? null,
    stop: options.stop ?? DEFAULT_NOTES.stop,
  };
  return withFreshTrainer(options, split, evaluatedExamples(notes, evalSplit), (trainer) => {
    announceEvaluation(notes, evalSplit, trainer);
    return runTraining({ trainer, folder: options.out, notes, evalSplit });
  });
}

/** Prints where the time of a run's first steps goes. */
export async function profileRun(options: StartOptions): Promise<number> {
  await withFreshTrainer(options, await readSplit(options.data, 'train'), 0, profileTraining);
  return 0;
}

/** @param examples those of an evaluation; 0 for a run without */
async function withFreshTrainer<T>(
  options: StartOptions,
  split: Split,
  examples: number,
  body: (trainer: Trainer) => Promise<T>,
): Promise<T> {
  const { config, augment } = options;
  const { metadata } = split;
  const { epochs, eval_interval, global_batch_size } = config.train;
  if (options.steps === undefined && epochs % eval_interval !== 0) {
    throw new UserError(`eval_interval (${eval_interval}) must divide epochs (${epochs})`);
  }
  const steps = options.steps ?? totalSteps(metadata, epochs, global_batch_size);
  if (steps < 1)
    throw new UserError(`this run would have no steps: ${epochs} epochs of a dataset smaller than a batch`);
  const { vocab_size, seq_len, num_puzzle_identifiers } = metadata;
  const modelConfig = { ...config.arch, vocab_size, seq_len, num_puzzle_identifiers };
  const rows = partRows(global_batch_size, options.microBatch);
  const device = await openTunedDevice({ 'no-tune': options['no-tune'] ?? true });
  try {
    const evaluated = Math.min(evaluationRows(modelConfig, device.limits), examples);
    announceMemory(device, modelConfig, { batch: global_batch_size, rows, evaluated });
    const trainer = await Trainer.start(device, {
      config: modelConfig,
      train: config.train,
      split,
      totalSteps: steps,
      augment: augmentationOf(augment, metadata),
      microBatch: rows,
      eager: options.eager,
    });
    announce(device, trainer);
    return await body(trainer);
  } finally {
    device.close();
  }
}

/** Goes on with the run of a folder. */
export async function resumeRun(
  out: string,
  { microBatch, eager, 'no-tune': noTune }: { microBatch?: number; eager: boolean; 'no-tune': boolean },
): Promise<RunResult> {
  const path = latestCheckpoint(out);
  const file = await openTensorFile(await fileSource(path));
  const device = await openDevice();
  try {
    const metadata = readMetadata(file);
    if (!metadata) throw new UserError(`${path} is not a checkpoint of this program: it cannot be resumed`);
    if (!metadata.training) {
      throw new UserError(`${path} holds weights only: training cannot be resumed from it`);
    }
    // The run goes on as it was tuned when it started, whatever has been tuned since.
    if (!noTune) applyChoices(device, metadata.training.tuning.choices);
    const notes = { ...DEFAULT_NOTES, ...metadata.training.notes } as unknown as RunNotes;
    notes.microBatch = microBatch ?? notes.microBatch;
    const split = await readSplit(notes.data, 'train');
    if (fingerprint(split) !== notes.dataset) {
      throw new UserError(`${notes.data} is not the dataset that this run was started on; put that one back`);
    }
    const evalSplit = notes.evalSplit ? await readSplit(notes.data, notes.evalSplit) : undefined;
    const { config } = metadata;
    const { global_batch_size } = metadata.training.train;
    const rows = partRows(global_batch_size, notes.microBatch ?? undefined);
    const evaluated = Math.min(evaluationRows(config, device.limits), evaluatedExamples(notes, evalSplit));
    announceMemory(device, config, { batch: global_batch_size, rows, evaluated });
    const { training, ...state } = await loadTraining(device, file, metadata, rows);
    if (JSON.stringify(training.tuning) !== JSON.stringify(tuningRecord(device))) {
      say(
        `note: this run was on '${training.tuning.adapter}'; on another adapter its bits differ from here on`,
      );
    }
    const options = {
      config,
      train: training.train,
      split,
      totalSteps: training.progress.totalSteps,
      augment: augmentationOf(notes.augment, split.metadata),
      microBatch: rows,
      eager,
    };
    const trainer = Trainer.resume(options, state, training.progress);
    announce(device, trainer);
    announceEvaluation(notes, evalSplit, trainer);
    return await runTraining({ trainer, folder: out, notes, evalSplit });
  } finally {
    await file.close();
    device.close();
  }
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

/** Metadata and a checksum of the examples: enough to notice that a dataset was exchanged. */
function fingerprint({ metadata, sets }: Split): string {
  let sum = 0;
  for (const { inputs, labels } of sets.values()) {
    for (const tokens of [inputs, labels]) {
      for (let i = 0; i < tokens.length; i++) sum = (Math.imul(sum, 31) + tokens[i]) | 0;
    }
  }
  return `${JSON.stringify(metadata)} ${sum >>> 0}`;
}

const SUDOKU_DIGITS = 'sudoku-digits';

/** The augmentation with that name. */
function augmentationOf(
  name: string | null,
  { vocab_size, seq_len }: DatasetMetadata,
): Augmentation | undefined {
  if (name === null) return undefined;
  if (name !== SUDOKU_DIGITS) throw new UserError(`--augment ${name}: unknown; there is ${SUDOKU_DIGITS}`);
  const options = { firstDigitToken: 2, digits: vocab_size - 2, seqLen: seq_len };
  return (batch: Batch, random: Philox) => relabelDigits(batch, random, options);
}
