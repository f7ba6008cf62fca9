import { Tensor } from '@hrm-webgpu/core';
import { residualRmsNorm as forward } from '../defs/residual_rms_norm.ts';
import { run } from '../operation.ts';
import { expectSameShape, rowsOf } from './shapes.ts';

const norm = { name: forward.name, kernels: [forward] };

/**
 * (x + residual) / sqrt(mean((x + residual)²) + eps) over the last axis. Zhang & Sennrich, arXiv 1910.07467.
 *
 * @param into takes the result, instead of a new tensor; neither of the operands
 */
export function residualRmsNorm(x: Tensor, residual: Tensor, eps: number, into?: Tensor): Tensor {
  expectSameShape('residualRmsNorm', x, residual);
  if (into) expectSameShape('residualRmsNorm', x, into);
  const { device, shape } = x;
  const y = into?.detach() ?? Tensor.empty(device, shape);
  const inverse_rms = Tensor.empty(device, [rowsOf(shape)]);
  run(
    device,
    norm,
    { x, r: residual, y, inverse_rms },
    { rows: rowsOf(shape), columns: shape[shape.length - 1], eps },
  );
  device.tape.record('residualRmsNorm', [x, residual], y, [y, inverse_rms]);
  inverse_rms.dispose();
  return y;
}
