/**
 * Kernels for software adapters with subgroups of eight lanes: lavapipe, as Dawn offers it in Node. No browser offers such
 * an adapter (Chromium's SwiftShader has four lanes, naga of Firefox and Deno no subgroups), so that none needs to carry
 * them.
 */
import { attentionSubgroup } from './defs/attention_subgroup.ts';
import { attentionSubgroupBackwardKey } from './defs/attention_subgroup_backward_key.ts';
import { attentionSubgroupBackwardQuery } from './defs/attention_subgroup_backward_query.ts';
import { matmulSubgroup } from './defs/matmul_subgroup.ts';

export const softwareMatmul = [matmulSubgroup];
export const softwareAttention = [attentionSubgroup];
export const softwareAttentionBackwardQuery = [attentionSubgroupBackwardQuery];
export const softwareAttentionBackwardKey = [attentionSubgroupBackwardKey];
