/** What `hrm train` does before the first step of a new run: data, adapter, memory, trainer. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UserError } from '@hrm-webgpu/core';
import { readSplit } from '../../data/dataset/dataset.node.ts';
import type { Split } from '../../data/dataset/dataset.ts';
import { totalSteps } from '../../data/dataset/sampler.ts';
import type { AllConfig } from '../../model/config.ts';
import { evaluationRows } from '../../training/memory.ts';
import { partRows } from '../../training/micro-batches.ts';
import type { Survival } from '../../training/survival.ts';
import { Trainer } from '../../training/trainer.ts';
import { openTunedDevice } from '../open-device.ts';
import { augmentationOf } from './augment-option.ts';
import type { StopRules } from './loop/early-stop.ts';
import { type RunResult, runTraining } from './loop/run.ts';
import { expectRoom, lockRun } from './loop/run-folder.ts';
import { DEFAULT_NOTES, type RunNotes, type SaveEvery } from './loop/run-notes.ts';
import { profileTraining } from './profile/profile.ts';
import {
  announce,
  announceEvaluation,
  announceOperations,
  curriculumFor,
  evaluatedExamples,
  fingerprintOf,
  readEvalSplit,
  survival,
  traceOf,
} from './run-setup.ts';
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
  /** Batches until all groups are drawn from; null for half of the run. */
  curriculum?: number | null;
  snapshots?: number;
  keep?: number;
  saveEvery?: SaveEvery;
  tensorboard?: boolean;
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
    dataset: await fingerprintOf(split, evalSplit),
    evalSplit: evalName,
    evalEvery: options.evalEvery ?? Math.max(1, totalSteps(split.metadata, eval_interval, global_batch_size)),
    augment: options.augment,
    microBatch: options.microBatch ?? null,
    evalSample: options.evalSample ?? null,
    stop: options.stop ?? DEFAULT_NOTES.stop,
    curriculum: curriculumSteps(options, split),
    snapshots: options.snapshots ?? 0,
    keep: options.keep ?? DEFAULT_NOTES.keep,
    saveEvery: options.saveEvery ?? DEFAULT_NOTES.saveEvery,
    tensorboard: options.tensorboard ?? DEFAULT_NOTES.tensorboard,
  };
  const surviving = { ...options, survival: survival(options) };
  return withFreshTrainer(surviving, split, evaluatedExamples(notes, evalSplit), async (trainer) => {
    announceOperations(notes, evalSplit, trainer);
    announceEvaluation(notes, evalSplit, trainer);
    using _lock = lockRun(options.out);
    expectRoom(options.out); // another may have been quicker
    return await runTraining({ trainer, folder: options.out, notes, evalSplit });
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
  const steps = lengthOf(options, split);
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
      curriculum: curriculumFor(curriculumSteps(options, split)),
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

/** Steps of a whole run. */
function lengthOf({ steps, config }: StartOptions, { metadata }: Split): number {
  return steps ?? totalSteps(metadata, config.train.epochs, config.train.global_batch_size);
}

function curriculumSteps(options: StartOptions, split: Split): number | null {
  if (options.curriculum === undefined) return null;
  return options.curriculum ?? Math.max(1, Math.floor(lengthOf(options, split) / 2));
}
