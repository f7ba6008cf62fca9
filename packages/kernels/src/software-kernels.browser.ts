/** See software-kernels.node.ts. */
import type * as node from './software-kernels.node.ts';

type Kernels = typeof node;

export const softwareMatmul: Kernels['softwareMatmul'] = [];
export const softwareAttention: Kernels['softwareAttention'] = [];
export const softwareAttentionBackwardQuery: Kernels['softwareAttentionBackwardQuery'] = [];
export const softwareAttentionBackwardKey: Kernels['softwareAttentionBackwardKey'] = [];
