import { Tensor, UserError } from '@hrm-webgpu/core';
import { bceLogits } from '../defs/bce_logits.ts';
import { crossEntropy, type LossType } from '../defs/cross_entropy.ts';
import { rowLoss } from '../defs/row_loss.ts';
import { launch } from '../kernel.ts';
import { expectSameShape, expectShape } from './shapes.ts';

export interface CrossEntropyResult {
  /** [batch], the sum over a row: Σ token losses / max(count, 1); the differentiable output. */
  loss: Tensor;
  /** Predicted tokens [batch, seq_len], i32: the first index of the largest logit. */
  prediction: Tensor;
  /** Valid labels of each row [batch], u32. */
  count: Tensor;
  /** Predictions equal to their label [batch], u32. */
  correct: Tensor;
}

/**
 * Cross-entropy of logits [batch, prefix + seq_len, vocab] against labels [batch, seq_len] (i32, −100 ignored); the
 * first `prefix` positions have no labels. Stablemax: Prieto et al., arXiv 2501.04697.
 */
export function crossEntropyRows(logits: Tensor, labels: Tensor, type: LossType): CrossEntropyResult {
  expectShape('crossEntropyRows', 'the array of labels', labels, [undefined, undefined], 'i32');
  const [batch, labels_len] = labels.shape;
  expectShape('crossEntropyRows', 'the array of logits', logits, [batch, undefined, undefined]);
  const { device } = logits;
  const [, seqLen, vocab] = logits.shape;
  if (labels_len > seqLen) {
    throw new UserError(`crossEntropyRows: ${labels_len} labels a row for logits of ${seqLen} positions`);
  }
  const params = { batch, labels_len, prefix: seqLen - labels_len, vocab };
  const constants = { STABLEMAX: String(type === 'stablemax_cross_entropy') };
  const token_loss = Tensor.empty(device, [batch, labels_len]);
  const prediction = Tensor.empty(device, [batch, labels_len], 'i32');
  launch(device, crossEntropy, { logits, labels, loss: token_loss, prediction }, params, constants);
  const loss = Tensor.empty(device, [batch]);
  const count = Tensor.empty(device, [batch], 'u32');
  const correct = Tensor.empty(device, [batch], 'u32');
  launch(device, rowLoss, { token_loss, prediction, labels, loss, count, correct }, { batch, labels_len });
  token_loss.dispose();
  const stablemax = type === 'stablemax_cross_entropy' ? 1 : 0;
  device.tape.record('crossEntropyRows', [logits], loss, [logits, labels, count], { stablemax });
  return { loss, prediction, count, correct };
}

/** Binary cross-entropy of logits x against targets in [0, 1], elementwise. */
export function bceWithLogits(x: Tensor, targets: Tensor): Tensor {
  expectSameShape('bceWithLogits', x, targets);
  const { device } = x;
  const loss = Tensor.empty(device, x.shape);
  launch(device, bceLogits, { x, targets, loss }, { length: x.size });
  device.tape.record('bceWithLogits', [x], loss, [x, targets]);
  return loss;
}
