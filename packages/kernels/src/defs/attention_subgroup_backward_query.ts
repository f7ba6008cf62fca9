import type { KernelCheck } from '../checks/check.ts';
import { hasSubgroups, type Kernel } from '../kernel.ts';
import { attention_subgroup_backward_query as text } from '../shaders.gen.ts';
import type { AttentionParams } from './attention.ts';
import { attentionBackwardQuery, check as plainCheck } from './attention_backward_query.ts';

export const attentionSubgroupBackwardQuery: Kernel<AttentionParams> = {
  ...attentionBackwardQuery,
  name: 'attention_subgroup_backward_query',
  text,
  needs: hasSubgroups,
};

export const check: KernelCheck<AttentionParams> = {
  ...plainCheck,
  kernel: attentionSubgroupBackwardQuery,
};
