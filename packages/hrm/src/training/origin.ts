/** Where training left the finite numbers. */
import { UserError } from '@hrm-webgpu/core';
import type { Batch } from '../data/dataset/sampler.ts';
import type { StepOptions } from './steps.ts';
import type { Trainer } from './trainer.ts';

/** The step, kernel, tensor and element where it began, in words, and the examples of that step. */
export interface Origin {
  step: number;
  text: string;
  batch: Batch;
}

/**
 * Makes the steps since the last copy of the state again, with a look at everything that they write.
 *
 * @param trace makes what looks: `NonFiniteTrace`
 * @param last the step by which it had happened
 * @returns undefined where there is no copy, or all is finite now
 */
export async function findOrigin(
  { options, model: { device } }: Trainer,
  trace: StepOptions['trace'],
  last: number,
): Promise<Origin | undefined> {
  const steps = await options.survival?.stepsAtCopy(device, { ...options, trace });
  if (!steps) return undefined;
  try {
    while (steps.step < last) await steps.advance();
    return undefined;
  } catch (error) {
    const { step, batch } = steps;
    if (!(error instanceof UserError) || !batch) throw error;
    return { step, text: error.message, batch };
  } finally {
    steps.dispose();
  }
}
