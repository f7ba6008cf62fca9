/**
 * The checks of all kernels, with their float64 references, and tuning, which needs them: what tests, the doctor and the
 * first use of an adapter ask for, and computing does not. It is an entry of its own, to be imported when it is needed, so
 * that no bundle starts with it.
 */
import type { ParamValues } from '@hrm-webgpu/core';
import type { KernelCheck } from './check.ts';
import { checks as typed } from './checks.gen.ts';

export type { KernelCheck } from './check.ts';
export {
  contentsFor,
  describeWorst,
  isRight,
  runCheck,
  tensorsOf,
  type WorstElement,
  worstElement,
} from './run-check.ts';
export { type KernelVerdict, selfCheck } from './self-check.ts';
export { type Tuned, tune } from './tuner.ts';

/** The check of every kernel, by the kernel's name. */
export const checks = typed as unknown as Readonly<Record<string, KernelCheck<ParamValues>>>;
