/** How sure a model is of what it answers, by the probabilities that its loss is made of. */

import type { ModelConfig } from '../model/config.ts';

/**
 * Probabilities of predicted tokens, in float64: softmax or stablemax of the logits, whichever the model was trained with.
 *
 * @param logits [batch, T, V]; the first T − seq_len positions, of the puzzle embedding, predict nothing
 * @param prediction [batch, seq_len] tokens
 * @returns [batch, seq_len]
 */
export function confidenceOf(
  logits: Float32Array,
  prediction: Int32Array,
  { seq_len, vocab_size, loss_type }: Pick<ModelConfig, 'seq_len' | 'vocab_size' | 'loss_type'>,
): Float32Array {
  const batch = prediction.length / seq_len;
  const prefix = logits.length / (batch * vocab_size) - seq_len;
  const weigh = loss_type === 'softmax_cross_entropy' ? softmaxWeights : stablemaxWeights;
  const confidence = new Float32Array(prediction.length);
  for (let i = 0; i < prediction.length; i++) {
    const position = i + (Math.floor(i / seq_len) + 1) * prefix;
    const weights = weigh(logits.subarray(position * vocab_size, (position + 1) * vocab_size));
    confidence[i] = weights[prediction[i]] / weights.reduce((sum, weight) => sum + weight, 0);
  }
  return confidence;
}

function softmaxWeights(logits: Float32Array): Float64Array {
  const largest = logits.reduce((a, b) => Math.max(a, b));
  return Float64Array.from(logits, (x) => Math.exp(x - largest));
}

/** s(x) of Prieto et al., 2501.04697. */
function stablemaxWeights(logits: Float32Array): Float64Array {
  return Float64Array.from(logits, (x) => (x < 0 ? 1 / (1 - x) : x + 1));
}
