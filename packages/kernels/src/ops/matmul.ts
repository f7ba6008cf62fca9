import { type AdapterDescription, type Choice, Tensor } from '@hrm-webgpu/core';
import { softwareMatmul } from '#software-kernels';
import { batchSum } from '../defs/batch_sum.ts';
import { type MatmulParams, matmul } from '../defs/matmul.ts';
import { matmulWorkgroup } from '../defs/matmul_workgroup.ts';
import { type Kernel, launch, packFor } from '../kernel.ts';
import { kernelOf, type Operation, run } from '../operation.ts';

/** Rows and packs of columns of a workgroup with the standard settings of matmul_workgroup. */
const TILE = { rows: 64, packs: 16 };
/** Workgroups that keep a GPU busy: fewer tiles than that, and a long k is split among more. */
const BUSY = 96;
/** Terms of k that a part should have at least, to be worth adding up. */
const SHORTEST_PART = 512;

/**
 * How many parts a GPU divides k into: the tall reductions of weight gradients (m and n of a weight, k of all tokens) have
 * few tiles.
 */
function standardSplits({ m, n, k }: MatmulParams): number {
  const tiles = Math.ceil(m / TILE.rows) * Math.ceil(n / (TILE.packs * packFor(n).width));
  return Math.max(1, Math.min(Math.ceil(BUSY / tiles), Math.floor(k / SHORTEST_PART)));
}

function standard(adapter: AdapterDescription, params: MatmulParams): Choice | undefined {
  if (adapter.class !== 'gpu') return undefined;
  return { kernel: matmulWorkgroup.name, settings: { splits: standardSplits(params) } };
}

/** C = A·B: see `shaders/matmul.wgsl`. All kernels sum in the same order, and give the same bits, but for splits > 1. */
export const matmulOperation: Operation<MatmulParams> = {
  name: 'matmul',
  kernels: [...softwareMatmul, matmul, matmulWorkgroup as unknown as Kernel<MatmulParams>],
  standard,
  settings({ name }, { k }): Record<string, readonly number[]> {
    if (name !== matmulWorkgroup.name) return {};
    return { splits: [1, 2, 4, 8].filter((splits) => splits === 1 || splits * 64 <= k) };
  },
  run(device, choice, { a, b, c }, params) {
    const kernel = kernelOf(matmulOperation, choice);
    if (kernel.name !== matmulWorkgroup.name) {
      return launch(device, kernel, { a, b, c }, params, choice.settings);
    }
    const { splits = 1, ...constants } = choice.settings;
    if (splits === 1) return launch(device, matmulWorkgroup, { a, b, c }, { ...params, splits }, constants);
    const parts = Tensor.empty(device, [splits, params.m, params.n]);
    launch(device, matmulWorkgroup, { a, b, c: parts }, { ...params, splits }, constants);
    launch(device, batchSum, { x: parts, y: c }, { batch: splits, length: params.m * params.n, scale: 1 });
    parts.dispose();
  },
};

/** C = A·B in the way that suits the adapter and shape. */
export function multiply(a: Tensor, b: Tensor, c: Tensor, params: MatmulParams): void {
  run(c.device, matmulOperation, { a, b, c }, params);
}
