/** Which kernels with which constants `bench isa` looks at. */
import {
  type AdapterDescription,
  type ConstantValues,
  type ParamValues,
  parseShader,
} from '@hrm-webgpu/core';
import type { Kernel } from '@hrm-webgpu/kernels';
import { checks, type KernelCheck } from '@hrm-webgpu/kernels/checks';

/** A kernel with its constants fixed. */
export interface Variant {
  kernel: string;
  /** The class of adapters that it is for, if not all. */
  madeFor?: Kernel<ParamValues>['madeFor'];
  /** Those that differ from the shader file: from shapes, defaults for GPUs, and the variant's own. */
  constants: ConstantValues;
  /** The constant that has a value which the tuner may choose instead of the default; absent where none has. */
  tuned?: string;
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

/** The kernels that can be looked at: all but those that measure adapters. */
export const ISA_KERNELS: readonly string[] = Object.keys(checks).filter(
  (name) => !name.startsWith('roofline'),
);

/** All variants of these kernels that differ, and those of the kernels that `adapter` cannot run. */
export function variantsFor(
  adapter: AdapterDescription,
  kernels: readonly string[],
): { variants: Variant[]; skipped: string[] } {
  const variants = new Map<string, Variant>();
  const skipped: string[] = [];
  for (const name of kernels) {
    const check = checks[name];
    if (check.kernel.needs && !check.kernel.needs(adapter)) skipped.push(name);
    else for (const variant of variantsOf(check)) add(variants, variant);
  }
  return { variants: [...variants.values()], skipped };
}

/** Keeps the first of those that are the same program. */
function add(variants: Map<string, Variant>, variant: Variant): void {
  const key = JSON.stringify([variant.kernel, variant.constants]);
  if (!variants.has(key)) variants.set(key, variant);
}

/**
 * A kernel's defaults for GPUs, the variants that its tests try and, where GPUs are offered it, each value that the tuner
 * may choose, one at a time; all at HRM's shapes, at which some are the same.
 */
export function variantsOf({ kernel, cases, variants = [] }: KernelCheck<ParamValues>): Variant[] {
  const { name, madeFor } = kernel;
  return SHAPES.flatMap((shape) => {
    const names = Object.keys(cases[0]);
    const params = Object.fromEntries(names.map((name) => [name, shape[name] ?? cases[0][name]]));
    const standard = kernel.constants?.(params, 'gpu') ?? {};
    const made = [{}, ...variants].map((overrides) => ({
      ...{ kernel: name, madeFor, constants: { ...standard, ...overrides } },
    }));
    return madeFor === 'software' ? made : [...made, ...tunedVariants(kernel, standard)];
  });
}

/** A variant for each number in the shader's `// tune:` comments that is not the one it has anyway. */
function tunedVariants(
  { name: kernel, text, madeFor }: Kernel<ParamValues>,
  standard: ConstantValues,
): Variant[] {
  const declared = [...parseShader(kernel, text).constants.values()];
  return declared.flatMap(({ name, value, candidates }) =>
    candidates
      .map(Number)
      .filter((number) => Number.isFinite(number) && number !== Number(standard[name] ?? value))
      .map((number) => ({
        ...{ kernel, madeFor, constants: { ...standard, [name]: number }, tuned: name },
      })),
  );
}
