import { UserError } from '@hrm-webgpu/core';
import { describe, expect, it } from 'vitest';
import {
  accuracyOption,
  FRESH,
  NO_RULES,
  stopReason,
  withEvaluation,
  withSteps,
} from '../../../src/cli/train/loop/early-stop.ts';
import type { StepReport } from '../../../src/training/steps.ts';

const report = (count: number, exact_accuracy: number) => ({ sums: { count, exact_accuracy } }) as StepReport;

describe('early stopping', () => {
  it('judges the rows that halted since the last evaluation', () => {
    const rules = { ...NO_RULES, trainAccuracy: 0.75 };
    let standing = withSteps(FRESH, [report(4, 1), report(0, 0)]);
    expect(stopReason(rules, standing)).toBeUndefined();
    standing = withEvaluation(withSteps(standing, [report(4, 4)]), false);
    expect(standing).toMatchObject({ trainAccuracy: 5 / 8, halted: 0, exact: 0 });
    expect(stopReason(rules, standing)).toBeUndefined();
    standing = withEvaluation(withSteps(standing, [report(4, 3)]), false);
    expect(stopReason(rules, standing)).toContain('75.0 %');
    expect(stopReason(NO_RULES, standing)).toBeUndefined();
    // Nothing halted: nothing is known.
    expect(stopReason(rules, withEvaluation(standing, true))).toBeUndefined();
  });

  it('counts evaluations since the best', () => {
    const rules = { ...NO_RULES, patience: 2 };
    const after = (...better: boolean[]) => stopReason(rules, better.reduce(withEvaluation, FRESH));
    expect(after(true, false)).toBeUndefined();
    expect(after(false, true, false)).toBeUndefined();
    expect(after(true, false, false)).toContain('--patience 2');
  });

  it('takes an accuracy above 0 and at most 1', () => {
    expect(accuracyOption(undefined)).toBeNull();
    expect(accuracyOption('0.99')).toBe(0.99);
    for (const text of ['0', '99', 'x', '', 'NaN']) expect(() => accuracyOption(text)).toThrow(UserError);
  });
});
