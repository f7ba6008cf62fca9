import { PUZZLE_ROWS } from '../../model/parameters.ts';
import type { Comparison } from '../comparison.ts';
import type { Fixture } from '../fixture.ts';
import { LOCAL_ROWS } from '../gradients.ts';
import { adamUpdate, allowedAfterFirstStep, roundoffOf, signUpdate } from './first-update.ts';
import type { Rates, TraceRun } from './trace-run.ts';

/** The first step in both orders of summation. */
export interface FirstStepRuns {
  own: TraceRun;
  opposite: TraceRun;
  /** The weights before it. */
  before: ReadonlyMap<string, Float32Array>;
  rates: Rates;
  /** [batch], what the puzzle rows are. */
  identifiers: Int32Array;
}

/**
 * Compares the tensors after the first step, and takes the published ones over for both orders, but for those that are
 * beyond their bar: what is wrong with a tensor is one failure, not the cause of others.
 *
 * Adam-atan2's moments stay each order's own, as nobody has published them: they are the first gradients, scaled, and right
 * to their rounding. Where the next gradients are larger than that, they settle every update; where they are not, the two
 * orders differ as well, and the envelope shows it.
 */
export async function compareFirstStep(
  { own, opposite, before, rates, identifiers }: FirstStepRuns,
  { trace, train }: Fixture,
  comparison: Comparison,
): Promise<void> {
  const { tensors: file } = trace as NonNullable<Fixture['trace']>;
  const gradients = await tableGradients(own, identifiers);
  const opposites = await tableGradients(opposite, identifiers);
  const published = new Map<string, Float32Array>();
  for (const [name, after] of await own.weights()) {
    const reference = await file.readF32(`1.after.${name}`);
    const gradient = gradients.get(name);
    const update =
      name === PUZZLE_ROWS
        ? signUpdate(rates.puzzle_emb_lr, train.puzzle_emb_weight_decay)
        : adamUpdate(rates.lr, train.weight_decay, train.beta1);
    const allowed = allowedAfterFirstStep({
      before: before.get(name) as Float32Array,
      after,
      reference,
      update,
      gradient,
      roundoff: gradient ? roundoffOf(gradient, opposites.get(name) as Float32Array) : 0,
    });
    const group = `trace, ${name === PUZZLE_ROWS ? 'puzzle rows' : 'tensors'} after step 1`;
    if (comparison.elements(group, name, after, reference, allowed)) published.set(name, reference);
  }
  if (![...gradients].some(([name, values]) => values.some((g, i) => g !== opposites.get(name)?.[i]))) {
    throw new Error('both orders of summation gave the same bits: the envelope has not been measured');
  }
  for (const run of [own, opposite]) run.takeOver(published);
}

/** The gradients of the last step by weight; those of puzzle rows summed over equal identifiers, as sign-SGD takes them. */
async function tableGradients(run: TraceRun, identifiers: Int32Array): Promise<Map<string, Float32Array>> {
  const gradients = await run.gradients();
  const local = gradients.get(LOCAL_ROWS);
  if (!local) return gradients;
  const width = local.length / identifiers.length;
  const table = new Float32Array(run.model.weight(PUZZLE_ROWS).size);
  local.forEach((value, i) => {
    table[identifiers[Math.floor(i / width)] * width + (i % width)] += value;
  });
  return gradients.set(PUZZLE_ROWS, table);
}
