/// <reference lib="esnext.disposable" preserve="true" />
export type { KernelCheck } from './checks/check.ts';
export { IGNORED_LABEL, type LossType } from './defs/cross_entropy.ts';
export { METRIC_NAMES } from './defs/metrics.ts';
export * from './exports.gen.ts';
export { attentionBackwardOperations } from './gradients/attention.ts';
export { gradientRules } from './gradients/gradient-rules.ts';
export { hrmGradientRules } from './gradients/hrm-rules.ts';
export { linearBackwardInput, linearBackwardWeight } from './gradients/linear.ts';
export {
  type Grid,
  type Kernel,
  type KernelHost,
  type LaunchedKernel,
  launch,
  launchKey,
  observeLaunches,
  suits,
} from './kernel.ts';
export { remedyFor } from './operation.ts';
export { AdamAtan2, type AdamAtan2Options } from './optimizers/adam-atan2.ts';
export { SGD, type SGDOptions } from './optimizers/sgd.ts';
export { shaderNames, shadersVersion } from './version.gen.ts';
