import type { KernelCheck } from '../checks/check.ts';
import { hasSubgroups, type Kernel } from '../kernel.ts';
import { attention_subgroup_backward_key as text } from '../shaders.gen.ts';
import type { AttentionParams } from './attention.ts';
import { attentionBackwardKey, check as plainCheck } from './attention_backward_key.ts';

export const attentionSubgroupBackwardKey: Kernel<AttentionParams> = {
  ...attentionBackwardKey,
  name: 'attention_subgroup_backward_key',
  text,
  needs: hasSubgroups,
};

export const check: KernelCheck<AttentionParams> = {
  ...plainCheck,
  kernel: attentionSubgroupBackwardKey,
};
