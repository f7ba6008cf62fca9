import type { GradientRule } from '@hrm-webgpu/core';
import { window } from '../ops/rows.ts';

/** Zeros around the gradient of the slice. */
export const sliceGradient: GradientRule = (dy, { attributes: { rows, start } }) => {
  const [taken, ...rest] = dy.shape;
  return [window(dy, (-start * dy.size) / taken, [rows, ...rest])];
};

/** To each its own rows, of which the attributes are the numbers. */
export const catGradient: GradientRule = (dy, { needs, attributes }) => {
  const [rows, ...rest] = dy.shape;
  let first = 0;
  return Object.values(attributes).map((own, i) => {
    const start = first;
    first += own;
    return needs[i] ? window(dy, (start * dy.size) / rows, [own, ...rest]) : undefined;
  });
};
