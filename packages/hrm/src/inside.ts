/**
 * Looking into a model as it thinks: its states, its answers on the way, how sure it is, and what is measured of them; and into the
 * file that it comes in. Runs anywhere.
 */

export {
  type CheckpointContext,
  type ConfigFile,
  ownContext,
  parseConfigFile,
} from './checkpoints/checkpoint-context.ts';
export { type Examined, type ExaminedTensor, examine } from './checkpoints/examine.ts';
export type { Batch } from './data/dataset/sampler.ts';
export { batchOf } from './figures/batch-of.ts';
export { CovarianceSums, centredGram, Gram, gramMatrix, participationRatio } from './figures/covariance.ts';
export {
  type ObservedSegment,
  type ObservedStep,
  type ObserveOptions,
  observe,
} from './figures/observed-run.ts';
export { measureParticipation, type Participation, type RowChoice } from './figures/participation.ts';
export { type Projection, principalComponents } from './figures/principal-components.ts';
export {
  distances,
  initialState,
  type MeasureOptions,
  measureResiduals,
  type Residual,
} from './figures/residuals.ts';
export { sumTensor, type TensorSums } from './formats/tensor-sums.ts';
