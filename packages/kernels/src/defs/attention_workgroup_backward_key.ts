import type { KernelCheck } from '../checks/check.ts';
import { fold, type Kernel } from '../kernel.ts';
import { attention_workgroup_backward_key as text } from '../shaders.gen.ts';
import { type AttentionParams, byHeads, gradientTolerance } from './attention.ts';
import { attentionBackwardKey, check as plainCheck } from './attention_backward_key.ts';
import { tiledCases, tiledConstants } from './attention_workgroup.ts';

export const attentionWorkgroupBackwardKey: Kernel<AttentionParams> = {
  name: 'attention_workgroup_backward_key',
  text,
  madeFor: 'gpu', // software adapters pay for workgroup memory and barriers, and for compiling the tiles
  constants: tiledConstants,
  workgroups: ({ batch, seq_len, heads }, { KEYS }) => [Math.ceil(seq_len / KEYS), ...fold(batch * heads)],
  parts: byHeads,
  flops: attentionBackwardKey.flops,
  bytes: attentionBackwardKey.bytes,
};

export const check: KernelCheck<AttentionParams> = {
  ...plainCheck,
  kernel: attentionWorkgroupBackwardKey,
  cases: tiledCases,
  tolerance: (params, errors, hard) => gradientTolerance(params, errors, hard, 1),
};
