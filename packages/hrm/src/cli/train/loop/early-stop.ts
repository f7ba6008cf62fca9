import { UserError } from '@hrm-webgpu/core';
import type { StepReport } from '../../../training/steps.ts';
import { percent } from '../../terminal.ts';

/** When to end a run before its schedule does; null where a rule is not wanted. Judged after each evaluation. */
export interface StopRules {
  /** Exact accuracy in training, 0 to 1, that is enough: on small datasets training goes unstable late. */
  trainAccuracy: number | null;
  /** So many evaluations in a row without a better one. */
  patience: number | null;
}

export const NO_RULES: StopRules = { trainAccuracy: null, patience: null };

/** What the rules are judged by; plain JSON, kept in checkpoints so that a resumed run stops where the whole one does. */
export interface Standing {
  /** Rows that have halted in training since the last evaluation, and those of them that were exact. */
  halted: number;
  exact: number;
  /** Of the interval before the last evaluation; null when no row halted in it. */
  trainAccuracy: number | null;
  /** Evaluations since the best one. */
  worse: number;
}

export const FRESH: Standing = { halted: 0, exact: 0, trainAccuracy: null, worse: 0 };

/** The standing after more steps. */
export function withSteps(standing: Standing, reports: readonly StepReport[]): Standing {
  const sum = (name: 'count' | 'exact_accuracy') =>
    reports.reduce((total, { sums }) => total + sums[name], 0);
  const { halted, exact } = standing;
  return { ...standing, halted: halted + sum('count'), exact: exact + sum('exact_accuracy') };
}

/** The standing after an evaluation. */
export function withEvaluation({ halted, exact, worse }: Standing, better: boolean): Standing {
  return { ...FRESH, trainAccuracy: halted > 0 ? exact / halted : null, worse: better ? 0 : worse + 1 };
}

/** Why to stop now; undefined to go on. */
export function stopReason(rules: StopRules, standing: Standing): string | undefined {
  const { trainAccuracy, worse } = standing;
  if (rules.trainAccuracy !== null && trainAccuracy !== null && trainAccuracy >= rules.trainAccuracy) {
    return `training accuracy is ${percent(trainAccuracy)} (--stop-at-train-accuracy ${rules.trainAccuracy})`;
  }
  if (rules.patience !== null && worse >= rules.patience) {
    return `${worse} evaluations without a better one (--patience ${rules.patience})`;
  }
  return undefined;
}

/**
 * The value of --stop-at-train-accuracy.
 *
 * @throws UserError
 */
export function accuracyOption(text: string | undefined): number | null {
  if (text === undefined) return null;
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value > 0 && value <= 1) return value;
  throw new UserError(`--stop-at-train-accuracy must be above 0 and at most 1 (0.99 is 99 %), got '${text}'`);
}
