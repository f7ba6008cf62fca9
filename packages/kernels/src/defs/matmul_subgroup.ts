import type { KernelCheck } from '../checks/check.ts';
import { hasSubgroups, type Kernel } from '../kernel.ts';
import { matmul_subgroup as text } from '../shaders.gen.ts';
import { byRows, type MatmulParams, matmul, check as matmulCheck, rowsFirst } from './matmul.ts';

/** Rows of a thread's tile; fixed, since WGSL wants constant lane numbers. */
const ROWS = 24;
/** Threads of a workgroup, unless tuned. */
const GROUP = 16;

export const matmulSubgroup: Kernel<MatmulParams> = {
  ...matmul,
  name: 'matmul_subgroup',
  text,
  madeFor: 'software', // it stores in a loop over a register tile, which GPUs would move to memory
  needs: hasSubgroups,
  constants(params, adapter) {
    const shape = matmul.constants?.(params, adapter) ?? {};
    // Two packs a thread, unless a workgroup's last ones would be idle.
    const columns = params.n / Number(shape.PACK);
    const groups = Math.ceil(columns / (2 * GROUP));
    return { ...shape, PACKS: 2 * GROUP * groups <= 1.1 * columns ? 2 : 1 };
  },
  workgroups: ({ m, n }, { PACKS, PACK, GROUP }) =>
    rowsFirst(Math.ceil(m / ROWS), Math.ceil(n / (PACK * PACKS * GROUP))),
  parts: byRows(() => ROWS),
};

export const check: KernelCheck<MatmulParams> = {
  ...matmulCheck,
  kernel: matmulSubgroup,
  variants: [{ PACKS: 2, GROUP: 64 }],
};
