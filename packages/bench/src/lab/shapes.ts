/** At which shape a kernel is timed. */
import type { ParamValues } from '@hrm-webgpu/core';
import { UserError } from '@hrm-webgpu/core';
import { checks } from '@hrm-webgpu/kernels/checks';

/** Shapes of the published model at a batch of 8, by the names that kernels have in common. */
const MIDDLING: readonly [RegExp, ParamValues][] = [
  [/^matmul_workgroup$/, { m: 328, n: 512, k: 512, a_row: 512, a_column: 1, splits: 1 }],
  [/^matmul_naive$/, { m: 328, n: 512, k: 512 }],
  [/^matmul/, { m: 328, n: 512, k: 512, a_row: 512, a_column: 1 }],
  [/^attention/, { batch: 2, seq_len: 82, heads: 8, head_dim: 64 }],
  [/^residual_rms_norm$/, { rows: 656, columns: 512, eps: 1e-5 }],
  [/^residual_rms_norm_backward$/, { rows: 656, columns: 512 }],
  [/^(add|accumulate|fill)$/, { length: 656 * 512 }],
  [/^swiglu/, { rows: 656, width: 1536 }],
  [/^transpose/, { rows: 1024, columns: 512 }],
  [/^rope$/, { tokens: 656, seq_len: 82, heads: 8, head_dim: 64, sign: 1 }],
  [/^adam_atan2$/, { length: 512 * 1024, rate1: 0.1, rate2: 0.05 }],
];

/**
 * The shape that a kernel is timed at: one of the published model where it has one, else the largest that it is checked at;
 * with what `overrides` (`m=64,n=128`) says.
 *
 * @throws UserError for a name that the kernel has not, or what is no whole number
 */
export function shapeOf(kernel: string, overrides: string | undefined): ParamValues {
  const { cases, kernel: definition } = checks[kernel];
  const work = (params: ParamValues) => definition.flops(params) + definition.bytes(params);
  const largest = cases.reduce((a, b) => (work(b) > work(a) ? b : a));
  const middling = MIDDLING.find(([names]) => names.test(kernel))?.[1];
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
