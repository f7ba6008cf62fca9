import type { HrmModel } from '../../model/model.ts';
import { PUZZLE_ROWS } from '../../model/parameters.ts';
import { type Comparison, relativeDistance } from '../comparison.ts';
import type { Fixture } from '../fixture.ts';
import { oppositeOrder, ownOrder } from '../opposite-order.ts';
import { envelope } from './envelope.ts';
import { compareFirstStep } from './first-step.ts';
import { Halting } from './halting.ts';
import { PuzzleMoves } from './puzzle-rows.ts';
import { compareStep, HALTING, type PublishedStep, publishedStep } from './steps.ts';
import { readStep, type StepResult, TraceRun } from './trace-run.ts';

/** Of the norm of a tensor. */
const LAST_TENSORS = 2e-4;
/** The same; every element of a puzzle row that went the other way is a whole learning rate off, or two. */
const LAST_PUZZLE_ROWS = 2e-2;
/** Where rounding decides about more row-steps than these, a trace shows too little about halting. */
const UNJUDGED_SHARE = 0.5;

/** A training in both orders of summation. */
interface Runs {
  own: TraceRun;
  opposite: TraceRun;
}

/**
 * Training steps from the checkpoint, beside the same steps in the opposite order of summation: how far those are apart
 * tells how far rounding may have led by then. Both go on from the published tensors after the first step, which makes
 * moves of ±lr of gradients that are nothing but rounding.
 *
 * @param ownModel, oppositeModel each with the fixture's weights, to be trained
 */
export async function compareTrace(
  ownModel: HrmModel,
  oppositeModel: HrmModel,
  fixture: Fixture,
  comparison: Comparison,
): Promise<void> {
  const { lists, steps } = fixture.trace as NonNullable<Fixture['trace']>;
  const own = new TraceRun(ownModel, fixture, ownOrder);
  const opposite = new TraceRun(oppositeModel, fixture, oppositeOrder);
  const before = await own.weights();
  const halting = new Halting(fixture.batchSize);
  const moves = new PuzzleMoves(fixture.train.puzzle_emb_weight_decay);
  try {
    for (let step = 1; step <= steps; step++) {
      const input = await readStep(fixture, step);
      const results = await Promise.all([own.step(input), opposite.step(input)]);
      const found = { rates: input.rates, own: results[0], opposite: results[1] };
      const reference = publishedStep(lists, step);
      halting.see(step, found.own.q, found.opposite.q);
      compareStep(comparison, found, reference, halting, fixture.model.halt_max_steps);
      goThePublishedWay({ own, opposite }, found.own, reference, halting);
      const { identifiers } = found.own;
      if (step > 1) moves.note(identifiers, input.rates);
      else await compareFirstStep({ own, opposite, before, ...input, identifiers }, fixture, comparison);
    }
    const unjudged = `share of ${steps * fixture.batchSize} row-steps not judged`;
    comparison.note(HALTING, unjudged, halting.unjudgedShare, UNJUDGED_SHARE);
    for (const remark of halting.remarks) comparison.remark(HALTING, remark);
    if (steps > 1) await compareLast({ own, opposite }, moves, fixture, comparison);
  } finally {
    own.dispose();
    opposite.dispose();
  }
}

/** Lets rows halt where the published ones did when rounding has decided it, so that the trace stays comparable. */
function goThePublishedWay(runs: Runs, found: StepResult, reference: PublishedStep, halting: Halting): void {
  if (halting.undecidedRows === 0) return;
  const halted = found.halted.map((own, row) => (halting.isJudged(row) ? own : reference.halted[row]));
  for (const run of Object.values(runs)) run.setHalted(halted);
}

/** The tensors after the last step, by norm; the elements of puzzle rows also by the moves that they can have made. */
async function compareLast(
  { own, opposite }: Runs,
  moves: PuzzleMoves,
  { trace }: Fixture,
  comparison: Comparison,
): Promise<void> {
  const { tensors: file, steps } = trace as NonNullable<Fixture['trace']>;
  const others = await opposite.weights();
  for (const [name, values] of await own.weights()) {
    const reference = await file.readF32(`${steps}.after.${name}`);
    const other = others.get(name) as Float32Array;
    const difference = relativeDistance(values, other);
    if (name !== PUZZLE_ROWS) {
      const allowed = envelope(difference, LAST_TENSORS);
      comparison.norm('trace, tensors after the last step', name, values, reference, allowed);
      continue;
    }
    const group = 'trace, puzzle rows after the last step';
    comparison.norm(group, name, values, reference, envelope(difference, LAST_PUZZLE_ROWS));
    const width = own.model.weight(name).shape[1];
    comparison.elements(group, name, values, reference, moves.allowed(values, reference, width));
  }
}
