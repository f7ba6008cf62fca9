/** One step of a trace against what `trace.json` holds of it. */
import type { Comparison } from '../comparison.ts';
import type { Trace } from '../fixture.ts';
import { envelope } from './envelope.ts';
import type { Halting } from './halting.ts';
import type { Rates, StepResult } from './trace-run.ts';

/** Of max(1, |reference|). */
const LOSS = 1e-5;
const LATE_LOSS = 1e-3;
const EARLY_STEPS = 5;
const LEARNING_RATE = 1e-12;

/** The group of what has to do with halting. */
export const HALTING = 'trace, halting';

/** What the lists of a trace hold of a step. */
export interface PublishedStep {
  step: number;
  numbers: Partial<Record<string, number>>;
  /** [batch] */
  halted: number[];
  steps: number[];
}

/** Of a step from 1. */
export function publishedStep(lists: Trace, step: number): PublishedStep {
  const numbers: PublishedStep['numbers'] = {};
  for (const [name, list] of Object.entries(lists)) {
    const entry = list[step - 1];
    if (typeof entry === 'number') numbers[name] = entry;
  }
  return {
    step,
    numbers,
    halted: lists.halted[step - 1] as number[],
    steps: lists.steps_carry[step - 1] as number[],
  };
}

/** What this engine made of a step: in its own order of summation, and in the opposite one. */
export interface FoundStep {
  rates: Rates;
  own: StepResult;
  opposite: StepResult;
}

/** Compares all that the lists hold of a step. */
export function compareStep(
  comparison: Comparison,
  found: FoundStep,
  reference: PublishedStep,
  halting: Halting,
  maxSteps: number,
): void {
  compareMetrics(comparison, found.own, reference, halting.undecidedRows, maxSteps);
  compareLosses(comparison, found, reference);
  compareRates(comparison, found.rates, reference);
  compareHalting(comparison, found.own, reference, halting);
}

/** Sums over the rows that have halted; a row that is not judged may have put in anything that a row can. */
function compareMetrics(
  comparison: Comparison,
  { sums }: StepResult,
  { step, numbers }: PublishedStep,
  undecidedRows: number,
  maxSteps: number,
): void {
  const most = { count: 1, exact_accuracy: 1, steps: maxSteps };
  for (const name of ['count', 'exact_accuracy', 'steps'] as const) {
    const reference = numbers[name];
    if (reference === undefined) continue;
    const allowed = undecidedRows * most[name];
    comparison.elements('trace, metrics', `step ${step} ${name}`, [sums[name]], [reference], allowed);
  }
}

function compareLosses(
  comparison: Comparison,
  { own, opposite }: FoundStep,
  { step, numbers }: PublishedStep,
): void {
  const early = step <= EARLY_STEPS;
  const group = early ? `trace, losses to step ${EARLY_STEPS}` : 'trace, losses after';
  for (const name of ['lm_loss', 'q_halt_loss', 'q_continue_loss', 'loss'] as const) {
    const reference = numbers[name];
    if (reference === undefined) continue;
    const scale = Math.max(1, Math.abs(reference));
    const difference = Math.abs(own.sums[name] - opposite.sums[name]);
    const allowed = early ? LOSS * scale : envelope(difference, LATE_LOSS * scale);
    comparison.elements(group, `step ${step} ${name}`, [own.sums[name]], [reference], allowed);
  }
}

function compareRates(comparison: Comparison, rates: Rates, { step, numbers }: PublishedStep): void {
  for (const name of ['lr', 'puzzle_emb_lr'] as const) {
    const reference = numbers[name];
    if (reference === undefined) continue;
    const label = `step ${step} ${name}`;
    comparison.elements('trace, learning rates', label, [rates[name]], [reference], LEARNING_RATE);
  }
}

function compareHalting(
  comparison: Comparison,
  { halted, steps }: StepResult,
  reference: PublishedStep,
  halting: Halting,
): void {
  const compare = (name: string, found: Uint32Array, expected: number[]) => {
    const judged = found.map((value, row) => (halting.isJudged(row) ? value : expected[row]));
    comparison.elements(HALTING, `step ${reference.step} ${name}`, judged, expected, 0);
  };
  compare('halted', halted, reference.halted);
  compare('steps_carry', steps, reference.steps);
}
