import type { KernelCheck } from '../checks/check.ts';
import { hasSubgroups, type Kernel, SUBGROUP_LANES } from '../kernel.ts';
import { attention_subgroup as text } from '../shaders.gen.ts';
import { type AttentionParams, attention, attentionShape, check as plainCheck } from './attention.ts';

export const attentionSubgroup: Kernel<AttentionParams> = {
  ...attention,
  name: 'attention_subgroup',
  text,
  needs: hasSubgroups,
  constants(params) {
    const shape = attentionShape.constants(params);
    // A block gives every lane one pack to load, or more.
    return { ...shape, BLOCK: Math.max(1, Math.floor(SUBGROUP_LANES / shape.HEAD_PACKS)) };
  },
};

export const check: KernelCheck<AttentionParams> = {
  ...plainCheck,
  kernel: attentionSubgroup,
  variants: [{ BLOCK: 3, GROUP: 16 }],
};
