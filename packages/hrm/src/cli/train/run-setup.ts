/** What a run needs, whether it begins or goes on. */
import { adapterName, type Device, openDevice } from '@hrm-webgpu/core';
import { type OpenSplit, readSplit } from '../../data/dataset/dataset.node.ts';
import type { Split } from '../../data/dataset/dataset.ts';
import { fingerprint } from '../../data/dataset/fingerprint.ts';
import { breather } from '../../data/input/breather.node.ts';
import { countExamples } from '../../evaluation/evaluate.ts';
import type { ArchConfig } from '../../model/config.ts';
import { evaluationRows } from '../../training/memory.ts';
import { Survival } from '../../training/survival.ts';
import type { Trainer, TrainerOptions } from '../../training/trainer.ts';
import { checkEvalSplit, metadataFile } from '../dataset-fit.ts';
import { announceTuning, type DeviceValues, submitMsOf } from '../open-device.ts';
import { say } from '../terminal.ts';
import type { RunNotes } from './loop/run-notes.ts';

/** @param steps batches until all groups are drawn from; null without a curriculum */
export function curriculumFor(steps: number | null) {
  return steps === null ? undefined : { steps };
}

/** What looks at the numbers of a step, where that is asked for. */
export async function traceOf({
  'trace-nan': wanted,
}: {
  'trace-nan'?: boolean;
}): Promise<TrainerOptions['trace']> {
  if (!wanted) return undefined;
  const { NonFiniteTrace } = await import('@hrm-webgpu/kernels/checks');
  return ({ device, weights }) => new NonFiniteTrace(device, weights);
}

/** What a run does when the GPU is lost. */
export function survival(values: Pick<DeviceValues, 'submit-ms'>): Survival {
  return new Survival(
    () => openDevice({ submitMs: submitMsOf(values) }),
    (_, attempt) =>
      say(`\nthe GPU was lost: opening it again (attempt ${attempt}) and repeating the last steps…`),
  );
}

/** The split to evaluate on, made sure to be one for the model that trains on `split`. */
export async function readEvalSplit(
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

/** Of what a run is trained and evaluated on. */
export function fingerprintOf(split: Split, evalSplit: Split | undefined): Promise<string> {
  return fingerprint(evalSplit ? [split, evalSplit] : [split], breather());
}

export function announce(device: Device, { model, options, step }: Trainer): void {
  const parameters = model.trained.reduce((sum, [, { size }]) => sum + size, 0);
  say(`adapter: ${adapterName(device)}`);
  say(
    `model: ${(parameters / 1e6).toFixed(2)} M parameters, T = ${model.positions}, M = ${model.config.halt_max_steps}; ` +
      `steps ${step + 1} to ${options.totalSteps}, batch ${describeBatch(options)}`,
  );
}

export function describeBatch({
  train: { global_batch_size: batch },
  microBatch = batch,
}: TrainerOptions): string {
  return microBatch === batch ? `${batch}` : `${batch} (${microBatch} rows at a time)`;
}

export function evaluatedExamples({ evalSample }: RunNotes, split: Split | undefined): number {
  return split ? Math.min(countExamples(split), evalSample ?? Number.POSITIVE_INFINITY) : 0;
}

export function announceOperations(
  notes: RunNotes,
  split: Split | undefined,
  { model, carries }: Trainer,
): void {
  const examples = evaluatedExamples(notes, split);
  const evaluated = evaluationRows(model.config, model.device.limits, examples);
  announceTuning(model, { training: carries[0].batch, inference: evaluated > 0 ? [evaluated] : [] });
}

export function announceEvaluation(
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
