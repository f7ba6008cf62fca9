/**
 * The Hierarchical Reasoning Model on WebGPU, in Node and in browsers. What needs a file system stands in
 * `hrm-webgpu/node`.
 */

export { type Device, openDevice, UserError, wrapDevice } from '@hrm-webgpu/core';
export { loadTuning, saveTuning, tuningPlace } from '#tuning-store';
export {
  type CallOutput,
  type Exploration,
  evaluationCall,
  type MetricSums,
  noExploration,
  readMetrics,
  totalLoss,
  trainingCall,
} from './act.ts';
export { type Answer, type AnswerOptions, answers } from './answers.ts';
export { Carry, type DeviceBatch, uploadBatch } from './carry.ts';
export { encodeModel, encodeTraining, loadTraining, readMetadata } from './checkpoint.ts';
export {
  type AllConfig,
  type ArchConfig,
  DEFAULT_ARCH,
  DEFAULT_TRAIN,
  formatAllConfig,
  type ModelConfig,
  parseAllConfig,
  parseModelConfig,
  type TrainConfig,
} from './config.ts';
export { ARC_KS, type ArcRow, type ArcScore, ArcVote, type Attempts } from './data/arc-vote.ts';
export { relabelDigits } from './data/augment.ts';
export {
  type DatasetMetadata,
  type DatasetSet,
  type DecodeOptions,
  decodeSplit,
  encodeSplit,
  type OpenRows,
  type ReadFile,
  type Split,
} from './data/dataset.ts';
export { MAZE } from './data/maze.ts';
export { type Batch, TrainSampler, testBatches, totalSteps } from './data/sampler.ts';
export { rulesBroken, sudokuGrid, sudokuShape, sudokuTokens } from './data/sudoku.ts';
export { buildSudokuSplits } from './data/sudoku-dataset.ts';
export { type TokenRows, tokenRows } from './data/token-rows.ts';
export { type EvaluateOptions, type Evaluation, evaluate } from './evaluate.ts';
export { type ByteSource, blobSource, bytesSource } from './formats/byte-source.ts';
export { openTensorFile } from './formats/open-checkpoint.ts';
export type { TensorFile } from './formats/tensor-file.ts';
export { parseYaml, stringifyYaml } from './formats/yaml.ts';
export {
  type GridAnswer,
  HRM,
  type HrmOptions,
  type Solution,
  type SolveOptions,
  type Thought,
} from './hrm.ts';
export type { CheckpointSource } from './hrm-source.ts';
export { Inference } from './inference.ts';
export { configOf, type LoadOptions, loadModel } from './load.ts';
export { HrmModel, type ModelInput, type SegmentOutput, type State } from './model.ts';
export { Optimizers, scheduleFactor } from './optimizers.ts';
export { openFixture } from './parity/fixture.ts';
export { runParity } from './parity/parity.ts';
export { type Grid, type Task, taskOf } from './tasks.ts';
export { Trainer } from './trainer.ts';
