/**
 * The checks of all kernels, with their float64 references, tuning, which needs them, and instruments: what tests, the doctor and the
 * first use of an adapter ask for, and computing does not. It is an entry of its own, to be imported when it is needed, so
 * that no bundle starts with it.
 */
import type { ParamValues } from '@hrm-webgpu/core';
import type { KernelCheck } from './checks/check.ts';
import { checks as typed } from './checks.gen.ts';

export { builtinErrorsOf, tolerancesOf } from './checks/builtin-errors.ts';
export type { BuiltinErrors, KernelCheck } from './checks/check.ts';
export {
  type Comparison,
  compareArrays,
  describeComparison,
  isRight,
  marginOf,
  place,
} from './checks/compare.ts';
export { allows, coveringSettingsOf, leanSettingsOf } from './checks/covering.ts';
export { checkReplacements } from './checks/replacements.ts';
export {
  type CheckOptions,
  type CheckResult,
  contentsFor,
  hardInputsOf,
  problemOf,
  runCheck,
  tensorsOf,
} from './checks/run-check.ts';
export { type KernelVerdict, selfCheck } from './checks/self-check.ts';
export { settingsOf, type Tunables, tunablesIn, tunablesOf } from './checks/tunables.ts';
export { type Tuned, tune } from './checks/tuner.ts';
export { checks as typedChecks } from './checks.gen.ts';
export {
  type AttentionParams,
  attentionBackwardReference,
  attentionInputs,
  attentionReference,
  attentionTolerance,
} from './defs/attention.ts';
export type { MatmulParams } from './defs/matmul.ts';
export { FMA_STARTS, FMA_TURN, FMA_VARIANTS, type RooflineFmaParams } from './defs/roofline_fma.ts';
export { LOAD_VARIANTS } from './defs/roofline_load.ts';
export { checkDeterminism, type Results } from './instruments/check-determinism.ts';
export {
  checkGradients,
  type GradientCheckOptions,
  type GradientCheckResult,
} from './instruments/check-gradients.ts';
export { type NonFinite, NonFiniteTrace } from './instruments/non-finite-trace.ts';
export {
  type BoundTensor,
  type LaunchObserver,
  type WatchedLaunch,
  watchLaunches,
} from './instruments/watch-launches.ts';
export { planLaunch } from './kernel.ts';

/** The check of every kernel, by the kernel's name; `typedChecks` are the same, each with its own parameters. */
export const checks = typed as unknown as Readonly<Record<string, KernelCheck<ParamValues>>>;
