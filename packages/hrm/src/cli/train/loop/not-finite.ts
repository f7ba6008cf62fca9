/** What can be done for a run that has left the finite numbers. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@hrm-webgpu/core';
import { RUN_FILES } from '../../../checkpoints/model-file.node.ts';
import { writeFileAtomic } from '../../../formats/files/atomic-write.node.ts';
import { encodeSafetensors } from '../../../formats/safetensors.ts';
import type { NotFiniteError } from '../../../model/not-finite.ts';
import { findOrigin, type Origin } from '../../../training/origin.ts';
import type { Trainer } from '../../../training/trainer.ts';
import { say } from '../../terminal.ts';

/**
 * The error with what helps: where it began, the examples of that step in a file, and how to go on.
 *
 * @param folder of the run
 */
export async function explained(error: NotFiniteError, trainer: Trainer, folder: string): Promise<UserError> {
  const origin = await originOf(trainer);
  const kept = origin && (await keepBatch(origin, folder));
  const began = origin ? ` It began at ${origin.text}.` : '';
  const { lr } = trainer.options.train;
  const advice = existsSync(join(folder, RUN_FILES.latest))
    ? `The last checkpoint is whole: go on from it with a lower rate, hrm train --out ${folder} --resume --set lr=${lr / 4}`
    : 'Nothing had been saved yet: start again with a lower lr, or a higher lr_warmup_steps';
  return new UserError(`${error.message}${began}${kept ? ` Its batch is kept in ${kept}.` : ''} ${advice}`, {
    cause: error,
  });
}

/** To look is worth a try; what fails at it is no news. */
async function originOf(trainer: Trainer): Promise<Origin | undefined> {
  say('\nthe numbers are no longer finite; looking for where that began…');
  try {
    const { NonFiniteTrace } = await import('@hrm-webgpu/kernels/checks');
    return await findOrigin(
      trainer,
      ({ device, weights }) => new NonFiniteTrace(device, weights),
      trainer.step,
    );
  } catch {
    return undefined;
  }
}

async function keepBatch({ step, batch }: Origin, folder: string): Promise<string | undefined> {
  const path = join(folder, `not-finite-step-${step}.safetensors`);
  const { inputs, labels, puzzleIdentifiers } = batch;
  const rows = puzzleIdentifiers.length;
  const tokens = [rows, inputs.length / rows];
  const tensors = new Map([
    ['inputs', { dtype: 'I32' as const, shape: tokens, data: inputs }],
    ['labels', { dtype: 'I32' as const, shape: tokens, data: labels }],
    ['puzzle_identifiers', { dtype: 'I32' as const, shape: [rows], data: puzzleIdentifiers }],
  ]);
  try {
    await writeFileAtomic(path, encodeSafetensors(tensors));
    return path;
  } catch {
    return undefined;
  }
}
