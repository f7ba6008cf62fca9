/** What networks are made of besides HRM's own ops: see docs/engine.md. */
import { Tensor } from '@hrm-webgpu/core';
import { addBias as addBiasKernel } from '../defs/add_bias.ts';
import { mean as meanKernel } from '../defs/mean.ts';
import { relu as reluKernel } from '../defs/relu.ts';
import { softmax as softmaxKernel } from '../defs/softmax.ts';
import { launch } from '../kernel.ts';
import { crossEntropyRows } from './losses.ts';
import { expectShape, expectType, rowsOf } from './shapes.ts';

/** x + bias for x [..., width] and bias [width]: what `linear` leaves out. */
export function addBias(x: Tensor, bias: Tensor): Tensor {
  expectType('addBias', 'the input', x, 'f32');
  const { device, shape } = x;
  expectShape('addBias', 'the bias', bias, [shape[shape.length - 1]]);
  const y = Tensor.empty(device, shape);
  launch(device, addBiasKernel, { x, bias, y }, { rows: rowsOf(shape), width: bias.size });
  device.tape.record('addBias', [x, bias], y, []);
  return y;
}

/** max(x, 0), elementwise. Its gradient at 0 is 0. */
export function relu(x: Tensor): Tensor {
  expectType('relu', 'the operand', x, 'f32');
  const { device } = x;
  const y = Tensor.empty(device, x.shape);
  launch(device, reluKernel, { x, y }, { length: x.size });
  device.tape.record('relu', [x], y, [y]);
  return y;
}

/** exp(x) / Σ exp(x) over the last axis. */
export function softmax(x: Tensor): Tensor {
  expectType('softmax', 'the operand', x, 'f32');
  const { device, shape } = x;
  const y = Tensor.empty(device, shape);
  launch(device, softmaxKernel, { x, y }, { rows: rowsOf(shape), columns: shape[shape.length - 1] });
  device.tape.record('softmax', [x], y, [y]);
  return y;
}

/** The mean of all elements [1]. */
export function mean(x: Tensor): Tensor {
  expectType('mean', 'the operand', x, 'f32');
  return meanOfRows(x, [1], x.size);
}

/** The means over the last axis: x [..., columns] → [...]. */
export function rowMean(x: Tensor): Tensor {
  expectType('rowMean', 'the operand', x, 'f32');
  const { shape } = x;
  return meanOfRows(x, shape.length > 1 ? shape.slice(0, -1) : [1], shape[shape.length - 1]);
}

function meanOfRows(x: Tensor, shape: Tensor['shape'], columns: number): Tensor {
  const { device } = x;
  const y = Tensor.empty(device, shape);
  launch(device, meanKernel, { x, y }, { rows: y.size, columns });
  device.tape.record('mean', [x], y, [], Object.fromEntries(x.shape.entries()));
  return y;
}

/**
 * The mean softmax cross-entropy [1] of logits [rows, classes] against labels [rows] (i32, −100 ignored), as PyTorch's:
 * {@link crossEntropyRows} of a single row.
 */
export function crossEntropy(logits: Tensor, labels: Tensor): Tensor {
  expectShape('crossEntropy', 'the array of logits', logits, [undefined, undefined]);
  const { device } = logits;
  const [rows, classes] = logits.shape;
  expectShape('crossEntropy', 'the array of labels', labels, [rows], 'i32');
  return device.scope(
    () =>
      crossEntropyRows(logits.reshape([1, rows, classes]), labels.reshape([1, rows]), 'softmax_cross_entropy')
        .loss,
  );
}
