import { evaluationCall } from './act.ts';
import { Carry, uploadBatch } from './carry.ts';
import { IGNORED_LABEL } from './data/dataset.ts';
import type { HrmModel } from './model.ts';

/** What the model says after one segment of thinking about one example. */
export interface Thought {
  /** From 1. */
  segment: number;
  /** Predicted tokens [seq_len]. */
  tokens: Int32Array;
  q_halt: number;
  q_continue: number;
}

/**
 * Thinks about one example for `segments` segments and yields the answer after each.
 *
 * @param inputs tokens [seq_len]
 */
export async function* think(
  model: HrmModel,
  inputs: Int32Array,
  segments = model.config.halt_max_steps,
  puzzleIdentifier = 0,
): AsyncGenerator<Thought> {
  const { device } = model;
  const carry = Carry.fresh(model, 1);
  const data = uploadBatch(device, {
    inputs,
    labels: new Int32Array(inputs.length).fill(IGNORED_LABEL),
    puzzleIdentifiers: Int32Array.of(puzzleIdentifier),
    rows: 1,
  });
  try {
    for (let segment = 1; segment <= segments; segment++) {
      const { prediction, q } = device.scope(() => {
        const output = evaluationCall(carry, data, segments);
        return { prediction: output.prediction, q: output.q };
      });
      const [tokens, [q_halt, q_continue]] = await Promise.all([prediction.read(), q.readF32()]);
      prediction.dispose();
      q.dispose();
      yield { segment, tokens: tokens as Int32Array, q_halt, q_continue };
    }
  } finally {
    carry.dispose();
    for (const tensor of Object.values(data)) tensor.dispose();
  }
}
