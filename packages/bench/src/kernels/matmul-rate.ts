/** The best rate at which this engine multiplies matrices on an adapter: what whole models are measured by. */
import { type Device, Tensor } from '@hrm-webgpu/core';
import { linear, transpose } from '@hrm-webgpu/kernels';
import { median } from '../timing/statistics.ts';
import type { Candidate, Timed } from '../timing/timing.ts';
import { BLOCK_LAYERS, BLOCK_TOKENS } from './block-shapes.ts';

/** A product x·Wᵀ as the model computes it. */
interface Product extends Candidate {
  flops: number;
}

export interface MatmulProbes {
  candidates: Product[];
  dispose(): void;
}

/** The four products of a block; `npm run bench -- kernels` and the tests check what they compute. */
export function matmulProbes(device: Device): MatmulProbes {
  const tensors: Tensor[] = [];
  const make = (...shape: number[]) => {
    const data = new Float32Array(shape[0] * shape[1]).map((_, i) => Math.sin(i));
    const tensor = Tensor.from(device, data, shape);
    tensors.push(tensor);
    return tensor;
  };
  const candidates = BLOCK_LAYERS.map(([inner, out]): Product => {
    const x = make(BLOCK_TOKENS, inner);
    const weight = make(out, inner);
    const transposed = transpose(weight);
    tensors.push(transposed);
    return {
      name: `x·Wᵀ ${BLOCK_TOKENS}×${inner}→${out}`,
      flops: 2 * BLOCK_TOKENS * inner * out,
      run: () => linear(x, weight, transposed).dispose(),
    };
  });
  return {
    candidates,
    dispose: () => {
      for (const tensor of tensors) tensor.dispose();
    },
  };
}

/** GFLOP/s of the fastest product. */
export function bestMatmulRate(candidates: readonly Product[], timed: readonly Timed[]): number {
  return Math.max(...candidates.map(({ flops }, i) => flops / median(timed[i].samplesMs) / 1e6));
}
