import { type GradientRule, Tensor } from '@hrm-webgpu/core';
import { bceLogitsBackward } from '../defs/bce_logits_backward.ts';
import { crossEntropyBackward } from '../defs/cross_entropy_backward.ts';
import { launch } from '../kernel.ts';

/** Of the logits, from the gradient of each row's loss. */
export const crossEntropyRowsGradient: GradientRule = (d_row, { saved, attributes }) => {
  const [logits, labels, count] = saved;
  const { device, shape } = logits;
  const [batch, labels_len] = labels.shape;
  const [, seqLen, vocab] = shape;
  const d_logits = Tensor.empty(device, shape);
  const params = { batch, labels_len, prefix: seqLen - labels_len, vocab };
  const constants = { STABLEMAX: String(attributes.stablemax === 1) };
  launch(device, crossEntropyBackward, { logits, labels, count, d_row, d_logits }, params, constants);
  return [d_logits];
};

/** Of the logits; targets get none. */
export const bceWithLogitsGradient: GradientRule = (d_loss, { saved: [x, targets] }) => {
  const dx = Tensor.empty(x.device, x.shape);
  launch(x.device, bceLogitsBackward, { x, targets, d_loss, dx }, { length: x.size });
  return [dx];
};
