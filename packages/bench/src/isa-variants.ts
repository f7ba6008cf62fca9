/** Which kernels with which constants `bench isa` looks at. */
import type { AdapterDescription, ConstantValues, ParamValues } from '@hrm-webgpu/core';
import { type Kernel, type KernelCheck, shaderSources } from '@hrm-webgpu/kernels';

/** A kernel with its constants fixed. */
export interface Variant {
  kernel: string;
  /** The class of adapters that it is for, if not all. */
  madeFor?: Kernel<ParamValues>['madeFor'];
  /** Those that differ from the shader file: from shapes, defaults for GPUs, and the variant's own. */
  constants: ConstantValues;
}

const BATCH = 16;
const tokens = (seq_len: number) => ({ seq_len, tokens: BATCH * seq_len, rows: BATCH * seq_len });

/** HRM's sizes by the names that the kernels' parameters have; others keep the value of a kernel's first test case. */
const SUDOKU = {
  ...tokens(82),
  batch: BATCH,
  heads: 8,
  head_dim: 64,
  dim: 512,
  columns: 512,
  width: 1536,
  length: BATCH * 82 * 512,
  vocab: 12,
  // x·W, W transposed
  m: BATCH * 82,
  n: 512,
  k: 512,
  a_row: 512,
  a_column: 1,
};

const SHAPES: readonly Record<string, number>[] = [
  SUDOKU,
  { ...SUDOKU, ...tokens(901) },
  { ...SUDOKU, heads: 4, head_dim: 128 },
  // The weight gradient dyᵀ·x.
  { ...SUDOKU, m: 512, k: BATCH * 82, a_row: 1, a_column: 512 },
];

/** All variants that differ, and the kernels that `adapter` cannot run. */
export async function variantsFor(
  adapter: AdapterDescription,
): Promise<{ variants: Variant[]; skipped: string[] }> {
  const variants = new Map<string, Variant>();
  const skipped: string[] = [];
  const kernels = Object.keys(shaderSources).filter((name) => !name.startsWith('roofline'));
  for (const kernel of kernels) {
    const { check } = await import(`@hrm-webgpu/kernels/defs/${kernel}`);
    if (check.kernel.needs && !check.kernel.needs(adapter)) skipped.push(kernel);
    else for (const variant of variantsOf(check)) variants.set(JSON.stringify(variant), variant);
  }
  return { variants: [...variants.values()], skipped };
}

/** A kernel's defaults for GPUs and the variants that its tests try, at HRM's shapes; some are the same. */
export function variantsOf({ kernel, cases, variants = [] }: KernelCheck<ParamValues>): Variant[] {
  return SHAPES.flatMap((shape) => {
    const names = Object.keys(cases[0]);
    const params = Object.fromEntries(names.map((name) => [name, shape[name] ?? cases[0][name]]));
    return [{}, ...variants].map((overrides) => ({
      kernel: kernel.name,
      madeFor: kernel.madeFor,
      constants: { ...kernel.constants?.(params, 'gpu'), ...overrides },
    }));
  });
}
