import type { TensorFile } from '../formats/tensor-file.ts';
import { evaluationCall } from '../model/act.ts';
import { Carry, type DeviceBatch, uploadBatch } from '../model/carry.ts';
import type { HrmModel } from '../model/model.ts';
import { Comparison, largest } from './comparison.ts';
import { type Fixture, readBatch } from './fixture.ts';
import { type Order, oppositeOrder, ownOrder } from './opposite-order.ts';
import { type Arrays, disposeAll, evalArrays } from './outputs.ts';

/** Of max(1, the largest |reference|) after one segment from given states: rounding alone makes up to 8e-6 of it. */
const ONE_SEGMENT = 2e-5;
/** The same after several, from this engine's own states. */
const OWN_STATES = 2e-4;
/** A model that makes a rounding error of the first segment so many times larger is not judged on its own states. */
const JUDGED_GROWTH = 10;
/** The relative rounding of f32, which no error is thought to be below. */
const ROUNDING = 2 ** -24;

/**
 * An evaluation, segment by segment, each from the published states after the one before; beside it the errors where each
 * goes on from this engine's own. Without whole states in the fixture there are only these.
 */
export async function compareEval(model: HrmModel, fixture: Fixture, comparison: Comparison): Promise<void> {
  const file = fixture.eval as TensorFile;
  const references = await readReferences(file, fixture.segments);
  const batch = uploadBatch(model, await readBatch(file, 'batch'));
  try {
    const free = await runSegments(model, batch, fixture);
    if (!references.every(({ z_H, z_L }) => z_H && z_L)) {
      references.forEach((reference, i) => {
        compareSegment(comparison, i, free[i], reference, i === 0 ? ONE_SEGMENT : OWN_STATES);
      });
      return;
    }
    const opposite = await runSegments(model, batch, fixture, { order: oppositeOrder });
    const restarted = await runSegments(model, batch, fixture, { states: references });
    references.forEach((reference, i) => {
      compareSegment(comparison, i, restarted[i], reference, ONE_SEGMENT);
      if (i === 0) return;
      const growth = spread(free[i], opposite[i], reference) / spread(free[0], opposite[0], references[0]);
      const alone = new Comparison();
      compareSegment(alone, i, free[i], reference, OWN_STATES);
      const [{ group, error, allowed, share, where }] = alone.rows;
      const judged = !(growth >= JUDGED_GROWTH); // NaN is a matter for the judge
      comparison.beside(group, { error, allowed, share, where, growth, judged });
    });
  } finally {
    disposeAll(batch);
  }
}

/** What the fixture holds of each segment. */
function readReferences(file: TensorFile, segments: number): Promise<Arrays[]> {
  const read = async (prefix: string): Promise<Arrays> => {
    const names = file.names.filter((name) => name.startsWith(prefix));
    const arrays = names.map(async (name) => [name.slice(prefix.length), await file.readF32(name)] as const);
    return Object.fromEntries(await Promise.all(arrays));
  };
  return Promise.all(Array.from({ length: segments }, (_, i) => read(`eval.${i}.`)));
}

/**
 * The arrays after each segment of an evaluation from a fresh carry.
 *
 * @param states the states that each segment but the first starts from: those after the one before here
 */
async function runSegments(
  model: HrmModel,
  batch: DeviceBatch,
  { batchSize, segments }: Fixture,
  { order = ownOrder, states }: { order?: Order; states?: readonly Arrays[] } = {},
): Promise<Arrays[]> {
  const { device } = model;
  const carry = Carry.fresh(model, batchSize);
  const found: Arrays[] = [];
  for (let i = 0; i < segments; i++) {
    if (states && i > 0) {
      carry.current.z_H.write(states[i - 1].z_H);
      carry.current.z_L.write(states[i - 1].z_L);
    }
    const output = device.scope(() => order(device, () => evaluationCall(carry, batch)));
    found.push(await evalArrays(model, output));
    disposeAll(output);
  }
  carry.dispose();
  return found;
}

function compareSegment(
  comparison: Comparison,
  segment: number,
  found: Arrays,
  reference: Arrays,
  bar: number,
): void {
  for (const [name, expected] of Object.entries(reference)) {
    if (!found[name]) continue;
    const allowed = bar * largest(expected, 1);
    comparison.elements(`eval, segment ${segment}`, name, found[name], expected, allowed);
  }
}

/** How far apart two orders of summation are, relative to max(1, the largest |reference|). */
function spread(one: Arrays, other: Arrays, reference: Arrays): number {
  const relative = Object.entries(reference)
    .filter(([name]) => one[name])
    .map(([name, expected]) => largest(one[name].map((x, i) => x - other[name][i])) / largest(expected, 1));
  return Math.max(ROUNDING, ...relative);
}
