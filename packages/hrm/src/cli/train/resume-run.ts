/** Going on with a run. */
import { resolve } from 'node:path';
import { type Device, UserError } from '@hrm-webgpu/core';
import { type OpenSplit, readSplit } from '../../data/dataset/dataset.node.ts';
import type { TensorFile } from '../../formats/tensor-file.ts';
import { type CheckpointMetadata, loadTraining, readMetadata } from '../../training/checkpoint.ts';
import { evaluationRows } from '../../training/memory.ts';
import { partRows } from '../../training/micro-batches.ts';
import { Trainer } from '../../training/trainer.ts';
import { takeOver } from '../../tuning/tuning.ts';
import { type DeviceValues, openGivenDevice } from '../open-device.ts';
import { say } from '../terminal.ts';
import { augmentationOf } from './augment-option.ts';
import { type RunResult, runTraining } from './loop/run.ts';
import { expectRun, openNewestWhole } from './loop/run-checkpoints.ts';
import { lockRun } from './loop/run-folder.ts';
import { type RunNotes, readNotes, type SaveEvery } from './loop/run-notes.ts';
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
import { changedSettings } from './train-config.ts';
import { announceMemory } from './train-memory.ts';

interface ResumeOptions extends DeviceValues {
  /** Where the dataset is now, if not where it was. */
  data?: string;
  /** Another end than the run was started with. */
  steps?: number;
  microBatch?: number;
  /** KEY=VALUE, see `changedSettings`. */
  set?: readonly string[];
  keep?: number;
  saveEvery?: SaveEvery;
  tensorboard?: boolean;
  eager: boolean;
  'trace-nan'?: boolean;
}

/**
 * Goes on with the run of a folder.
 *
 * @throws UserError where there is no run, or its data are no longer what they were
 */
export async function resumeRun(out: string, options: ResumeOptions): Promise<RunResult> {
  expectRun(out);
  using _lock = lockRun(out);
  const file = await openNewestWhole(out);
  try {
    const saved = await readRun(file, options);
    const { notes, split, evalSplit } = saved;
    notes.microBatch = options.microBatch ?? notes.microBatch;
    notes.keep = options.keep ?? notes.keep;
    notes.saveEvery = options.saveEvery ?? notes.saveEvery;
    notes.tensorboard = options.tensorboard ?? notes.tensorboard;
    const device = await openGivenDevice(options);
    try {
      using trainer = await resumeTrainer(device, file, saved, options);
      announce(device, trainer);
      announceOperations(notes, evalSplit, trainer);
      announceEvaluation(notes, evalSplit, trainer);
      return await runTraining({ trainer, folder: out, notes, evalSplit, changes: saved.changes });
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
  /** What is set otherwise than before. */
  changes: Record<string, unknown>;
}

type SavedTraining = NonNullable<CheckpointMetadata['training']>;

async function readRun(file: TensorFile, { steps, data, set = [] }: ResumeOptions): Promise<SavedRun> {
  const metadata = readMetadata(file);
  if (!metadata)
    throw new UserError(`${file.name} is not a checkpoint of this program: it cannot be resumed`);
  const { config, training } = metadata;
  if (!training) throw new UserError(`${file.name} holds weights only: training cannot be resumed from it`);
  const { step, totalSteps } = training.progress;
  if (steps !== undefined && steps < step) {
    throw new UserError(
      `--steps ${steps}: the run has made ${step} steps already, and cannot be made shorter than that`,
    );
  }
  training.progress.totalSteps = steps ?? totalSteps;
  const { train, changes } = changedSettings(training.train, set);
  training.train = train;
  const notes = readNotes(training.notes, file.name);
  if (data !== undefined) notes.data = resolve(data);
  const split = await readSplit(notes.data, 'train');
  const evalSplit = await readEvalSplit(notes.data, notes.evalSplit, split, config);
  if ((await fingerprintOf(split, evalSplit)) !== notes.dataset) {
    throw new UserError(
      `${notes.data} is not the dataset that this run was started on: put that one back, or say where it is now with --data DIR`,
    );
  }
  return { metadata, training, notes, split, evalSplit, changes };
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
    curriculum: curriculumFor(notes.curriculum),
    microBatch: rows,
    eager,
    trace: await traceOf(values),
    survival: survival(values),
  };
  return Trainer.resume(options, state, progress);
}
