import type { Gradients } from '@hrm-webgpu/core';
import { add } from '../ops/elementwise.ts';
import { attentionGradient, ropeGradient } from './attention.ts';
import { inputEmbeddingGradient } from './embedding.ts';
import { linearGradient } from './linear.ts';
import { bceWithLogitsGradient, crossEntropyRowsGradient } from './losses.ts';
import { residualRmsNormGradient } from './norm.ts';
import { qHeadGradient } from './q-head.ts';
import { swigluGradient } from './swiglu.ts';

/**
 * The gradient rules of the ops that HRM is made of: so that training it carries no others, which {@link gradientRules}
 * has besides.
 */
export const hrmGradientRules: Gradients = {
  add,
  rules: {
    add: (gradient) => [gradient.detach(), gradient.detach()],
    attention: attentionGradient,
    bceWithLogits: bceWithLogitsGradient,
    crossEntropyRows: crossEntropyRowsGradient,
    inputEmbedding: inputEmbeddingGradient,
    linear: linearGradient,
    qHead: qHeadGradient,
    residualRmsNorm: residualRmsNormGradient,
    rope: ropeGradient,
    swiglu: swigluGradient,
  },
};
