import { type GradientRule, Tensor } from '@hrm-webgpu/core';
import { swigluBackward } from '../defs/swiglu_backward.ts';
import { launch } from '../kernel.ts';
import { rowsOf } from '../ops/shapes.ts';

/** Of both halves of the operand. */
export const swigluGradient: GradientRule = (dy, { saved: [gate_up] }) => {
  const { device, shape } = gate_up;
  const d_gate_up = Tensor.empty(device, shape);
  const params = { rows: rowsOf(shape), width: shape[shape.length - 1] / 2 };
  launch(device, swigluBackward, { gate_up, dy, d_gate_up }, params);
  return [d_gate_up];
};
