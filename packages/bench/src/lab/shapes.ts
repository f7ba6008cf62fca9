/** At which shape a kernel is timed. */
import type { ParamValues } from '@hrm-webgpu/core';
import { UserError } from '@hrm-webgpu/core';
import { checks } from '@hrm-webgpu/kernels/checks';
import { modelShape } from '../kernels/model-shape.ts';

/** Shapes of the published model at a batch of 8, of kernels whose parameters do not say them by their names. */
const MIDDLING: readonly [RegExp, ParamValues][] = [
  [/^matmul_workgroup$/, { m: 328, n: 512, k: 512, a_row: 512, a_column: 1, splits: 1 }],
  [/^matmul_naive$/, { m: 328, n: 512, k: 512 }],
  [/^matmul/, { m: 328, n: 512, k: 512, a_row: 512, a_column: 1 }],
  [/^attention/, { batch: 2, seq_len: 82, heads: 8, head_dim: 64 }],
  [/^rope$/, { tokens: 656, seq_len: 82, heads: 8, head_dim: 64, sign: 1 }],
];

/**
 * The shape that a kernel is timed at: one of the published model where it has one, else the largest that it is checked at;
 * with what `overrides` (`m=64,n=128`) says.
 *
 * @throws UserError for a name that the kernel has not, or what is no whole number
 */
export function shapeOf(kernel: string, overrides: string | undefined): ParamValues {
  const check = checks[kernel];
  const { cases, kernel: definition } = check;
  const work = (params: ParamValues) => definition.flops(params) + definition.bytes(params);
  const largest = cases.reduce((a, b) => (work(b) > work(a) ? b : a));
  const middling = MIDDLING.find(([names]) => names.test(kernel))?.[1] ?? modelShape(check);
  const shape: Record<string, number> = { ...largest, ...middling };
  for (const entry of overrides?.split(',') ?? []) {
    const [name, text] = entry.split('=');
    if (!Object.hasOwn(shape, name) || !Number.isFinite(Number(text ?? 'x'))) {
      throw new UserError(
        `--shape ${entry}: expected NAME=NUMBER with one of ${kernel}'s parameters: ${Object.keys(shape).join(', ')}`,
      );
    }
    shape[name] = Number(text);
  }
  return shape;
}
