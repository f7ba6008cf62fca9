import type { KernelCheck } from '../check.ts';
import { hasSubgroups, type Kernel, SUBGROUP_LANES } from '../kernel.ts';
import { type AttentionParams, attention, attentionShape, check as plainCheck } from './attention.ts';

export const attentionSubgroup: Kernel<AttentionParams> = {
  ...attention,
  name: 'attention_subgroup',
  constants(params) {
    const { pack, HEAD_PACKS } = attentionShape.constants(params);
    // A block gives every lane one pack to load, or more.
    return { pack, HEAD_PACKS, BLOCK: Math.max(1, Math.floor(SUBGROUP_LANES / HEAD_PACKS)) };
  },
};

export const check: KernelCheck<AttentionParams> = {
  ...plainCheck,
  kernel: attentionSubgroup,
  variants: [{ BLOCK: 3, GROUP: 16 }],
  needs: hasSubgroups,
};
