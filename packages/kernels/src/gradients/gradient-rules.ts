import type { Gradients } from '@hrm-webgpu/core';
import { add } from '../ops/elementwise.ts';
import { attentionGradient, ropeGradient } from './attention.ts';
import { inputEmbeddingGradient } from './embedding.ts';
import { linearGradient } from './linear.ts';
import { bceWithLogitsGradient, crossEntropyRowsGradient } from './losses.ts';
import { residualRmsNormGradient } from './norm.ts';
import { qHeadGradient } from './q-head.ts';
import { swigluGradient } from './swiglu.ts';

/** The gradient rule of every op, for `tape.backward`. */
export const gradientRules: Gradients = {
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
