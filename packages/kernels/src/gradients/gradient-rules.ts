import type { Gradients } from '@hrm-webgpu/core';
import { rules } from '../rules.gen.ts';
import { hrmGradientRules } from './hrm-rules.ts';

/** The gradient rule of every op, for `backward`: those of this folder, by their names, and two that need no kernel. */
export const gradientRules: Gradients = {
  add: hrmGradientRules.add,
  rules: {
    ...rules,
    add: hrmGradientRules.rules.add,
    // The attributes are the operand's shape.
    reshape: (dy, { attributes }) => [dy.reshape(Object.values(attributes))],
  },
};
