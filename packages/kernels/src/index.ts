/// <reference lib="esnext.disposable" preserve="true" />
export type { KernelCheck } from './checks/check.ts';
export { actExplore } from './defs/act_explore.ts';
export { actStep } from './defs/act_step.ts';
export { adamAtan2 } from './defs/adam_atan2.ts';
export { attentionWorkgroup } from './defs/attention_workgroup.ts';
export { attentionWorkgroupBackwardKey } from './defs/attention_workgroup_backward_key.ts';
export { attentionWorkgroupBackwardQuery } from './defs/attention_workgroup_backward_query.ts';
export { IGNORED_LABEL, type LossType } from './defs/cross_entropy.ts';
export { gatherRows } from './defs/gather_rows.ts';
export { matmul } from './defs/matmul.ts';
export { matmulNaive } from './defs/matmul_naive.ts';
export { matmulSubgroup } from './defs/matmul_subgroup.ts';
export { type MatmulWorkgroupParams, matmulWorkgroup } from './defs/matmul_workgroup.ts';
export { METRIC_NAMES, metrics } from './defs/metrics.ts';
export { qTargets } from './defs/q_targets.ts';
export { selectRows } from './defs/select_rows.ts';
export { signSgd } from './defs/sign_sgd.ts';
export { transpose as transposeKernel } from './defs/transpose.ts';
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
export { attention, attentionOperation, makeRopeTables, type RopeTables, rope } from './ops/attention.ts';
export { add, fill, swiglu } from './ops/elementwise.ts';
export { type InputEmbedding, inputEmbedding } from './ops/embedding.ts';
export { linear, transpose } from './ops/linear.ts';
export { bceWithLogits, type CrossEntropyResult, crossEntropyRows } from './ops/losses.ts';
export { matmulOperation, multiply } from './ops/matmul.ts';
export { addBias, crossEntropy, mean, relu, rowMean, softmax } from './ops/network.ts';
export { residualRmsNorm } from './ops/norm.ts';
export { qHead } from './ops/q-head.ts';
export { cat, slice } from './ops/rows.ts';
export { AdamAtan2, type AdamAtan2Options } from './optimizers/adam-atan2.ts';
export { SGD, type SGDOptions } from './optimizers/sgd.ts';
export { shaderNames, shadersVersion } from './version.gen.ts';
