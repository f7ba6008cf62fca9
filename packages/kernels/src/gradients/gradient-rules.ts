import type { Gradients } from '@hrm-webgpu/core';
import { hrmGradientRules } from './hrm-rules.ts';
import { addBiasGradient, meanGradient, reluGradient, softmaxGradient } from './network.ts';
import { catGradient, sliceGradient } from './rows.ts';

/** The gradient rule of every op, for `backward`. */
export const gradientRules: Gradients = {
  add: hrmGradientRules.add,
  rules: {
    ...hrmGradientRules.rules,
    addBias: addBiasGradient,
    cat: catGradient,
    mean: meanGradient,
    relu: reluGradient,
    // The attributes are the operand's shape.
    reshape: (dy, { attributes }) => [dy.reshape(Object.values(attributes))],
    slice: sliceGradient,
    softmax: softmaxGradient,
  },
};
