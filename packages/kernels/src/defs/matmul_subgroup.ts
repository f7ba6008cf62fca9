import type { KernelCheck } from '../check.ts';
import { fold, hasSubgroups, type Kernel } from '../kernel.ts';
import { type MatmulParams, matmul, check as matmulCheck } from './matmul.ts';

/** Rows of a thread's tile; fixed, since WGSL wants constant lane numbers. */
const ROWS = 16;

export const matmulSubgroup: Kernel<MatmulParams> = {
  ...matmul,
  name: 'matmul_subgroup',
  workgroups: ({ m, n }, { PACKS, PACK, GROUP }) => [
    Math.ceil(n / (PACK * PACKS * GROUP)),
    ...fold(Math.ceil(m / ROWS)),
  ],
};

export const check: KernelCheck<MatmulParams> = {
  ...matmulCheck,
  kernel: matmulSubgroup,
  variants: [{ PACKS: 2, GROUP: 64 }],
  needs: hasSubgroups,
};
