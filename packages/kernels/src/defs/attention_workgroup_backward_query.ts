import type { KernelCheck } from '../checks/check.ts';
import type { Kernel } from '../kernel.ts';
import { attention_workgroup_backward_query as text } from '../shaders.gen.ts';
import { type AttentionParams, gradientTolerance } from './attention.ts';
import { attentionBackwardQuery, check as plainCheck } from './attention_backward_query.ts';
import { attentionWorkgroup, tiledCases, tiledConstants } from './attention_workgroup.ts';

export const attentionWorkgroupBackwardQuery: Kernel<AttentionParams> = {
  name: 'attention_workgroup_backward_query',
  text,
  madeFor: 'gpu', // software adapters pay for workgroup memory and barriers, and for compiling the tiles
  constants: tiledConstants,
  workgroups: attentionWorkgroup.workgroups,
  parts: attentionWorkgroup.parts,
  flops: attentionBackwardQuery.flops,
  bytes: attentionBackwardQuery.bytes,
};

export const check: KernelCheck<AttentionParams> = {
  ...plainCheck,
  kernel: attentionWorkgroupBackwardQuery,
  // With one key dq is a difference of equal sums, rounded in different orders: nothing to be relative to.
  cases: tiledCases.filter(({ seq_len }) => seq_len > 1),
  tolerance: (params, errors, hard) => gradientTolerance(params, errors, hard, 1),
};
