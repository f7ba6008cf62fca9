/** The options of commands that look into a step. */
import { UserError } from '@hrm-webgpu/core';
import { MODEL_HELP, type StepChoice } from './model-step.ts';

export const STEP_OPTIONS = {
  model: { type: 'string', default: 'tiny' },
  rows: { type: 'string' },
  data: { type: 'string' },
  forward: { type: 'boolean', default: false },
  step: { type: 'string' },
} as const;

export const STEP_HELP = `${MODEL_HELP}
  --forward      an evaluation call, without gradients and optimisers
  --step N       the N-th step, after N − 1 that nobody looks into; default 1`;

interface StepValues {
  model: string;
  rows?: string;
  data?: string;
  forward: boolean;
  step?: string;
}

const ROWS = 4;

/** @throws UserError for numbers that are none */
export function stepChoiceOf({
  model,
  rows,
  data,
  forward,
  step,
}: StepValues): StepChoice & { step: number } {
  return { model, data, forward, rows: countOf('rows', rows, ROWS), step: countOf('step', step, 1) };
}

/** @throws UserError for anything but a whole number from 1 */
export function countOf(name: string, text: string | undefined, standard: number): number {
  if (text === undefined) return standard;
  const count = Number(text);
  if (Number.isSafeInteger(count) && count >= 1) return count;
  throw new UserError(`--${name} ${text}: expected a whole number of at least 1`);
}
