import type { KernelCheck } from '../check.ts';
import { fold, hasSubgroups, type Kernel } from '../kernel.ts';
import { type MatmulParams, matmul, check as matmulCheck } from './matmul.ts';

/** Rows of a thread's tile; fixed, since WGSL wants constant lane numbers. */
const ROWS = 16;

export const matmulSubgroup: Kernel<MatmulParams> = {
  ...matmul,
  name: 'matmul_subgroup',
  needs: hasSubgroups,
  workgroups: ({ m, n }, { PACK, GROUP }) => [Math.ceil(n / (PACK * GROUP)), ...fold(Math.ceil(m / ROWS))],
};

export const check: KernelCheck<MatmulParams> = {
  ...matmulCheck,
  kernel: matmulSubgroup,
  variants: [{ GROUP: 64 }],
};
