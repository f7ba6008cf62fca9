import { type ParamValues, parseShader } from '@hrm-webgpu/core';
import type { KernelCheck } from '@hrm-webgpu/kernels';
import { BLOCK_TOKENS } from './block-shapes.ts';

/** Sizes of the full-size model by the names that parameters of kernels have. */
const SIZES: Readonly<Record<string, number>> = {
  rows: BLOCK_TOKENS,
  columns: 512,
  width: 1536,
  length: BLOCK_TOKENS * 512,
};

/**
 * A shape of the full-size model for any kernel whose whole numbers are all sizes of these names: so a new kernel is timed at
 * a shape worth timing without being listed. Undefined for the others; f32 parameters are those of a case of its check.
 */
export function modelShape({ kernel, cases }: KernelCheck<ParamValues>): ParamValues | undefined {
  const { params } = parseShader(kernel.name, kernel.text);
  const known = params.every(({ name, type }) => type === 'f32' || Object.hasOwn(SIZES, name));
  if (!known) return undefined;
  return Object.fromEntries(
    params.map(({ name, type }) => [name, type === 'f32' ? cases[0][name] : SIZES[name]]),
  );
}
