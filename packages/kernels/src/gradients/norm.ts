import { type GradientRule, Tensor } from '@hrm-webgpu/core';
import { residualRmsNormBackward } from '../defs/residual_rms_norm_backward.ts';
import { run } from '../operation.ts';
import { rowsOf } from '../ops/shapes.ts';

const normBackward = { name: residualRmsNormBackward.name, kernels: [residualRmsNormBackward] };

/** The same for both terms of the sum. */
export const residualRmsNormGradient: GradientRule = (dy, { saved: [y, inverse_rms] }) => {
  const { device, shape } = y;
  const dx = Tensor.empty(device, shape);
  const size = { rows: rowsOf(shape), columns: shape[shape.length - 1] };
  run(device, normBackward, { dy, y, inverse_rms, dx }, size);
  return [dx, dx.detach()];
};
