import { Tensor } from '@hrm-webgpu/core';
import { residualRmsNorm as forward } from '../defs/residual_rms_norm.ts';
import { residualRmsNormBackward } from '../defs/residual_rms_norm_backward.ts';
import { run } from '../operation.ts';
import { expectSameShape, rowsOf } from './shapes.ts';

const norm = { name: forward.name, kernels: [forward] };
const normBackward = { name: residualRmsNormBackward.name, kernels: [residualRmsNormBackward] };

/**
 * (x + residual) / sqrt(mean((x + residual)²) + eps) over the last axis. Zhang & Sennrich, arXiv 1910.07467.
 *
 * @param into takes the result, instead of a new tensor; neither of the operands
 */
export function residualRmsNorm(x: Tensor, residual: Tensor, eps: number, into?: Tensor): Tensor {
  expectSameShape('residualRmsNorm', x, residual);
  if (into) expectSameShape('residualRmsNorm', x, into);
  const { device, shape } = x;
  const size = { rows: rowsOf(shape), columns: shape[shape.length - 1] };
  const y = into?.detach() ?? Tensor.empty(device, shape);
  const inverse_rms = Tensor.empty(device, [size.rows]);
  run(device, norm, { x, r: residual, y, inverse_rms }, { ...size, eps });
  device.tape.record('residualRmsNorm', [x, residual], y, [y, inverse_rms], (dy) => {
    const dx = Tensor.empty(device, shape);
    run(device, normBackward, { dy, y, inverse_rms, dx }, size);
    return [dx, dx.detach()];
  });
  inverse_rms.dispose();
  return y;
}
