/// <reference lib="esnext.disposable" preserve="true" />
/**
 * The Hierarchical Reasoning Model on WebGPU, in Node and in browsers. What needs a file system stands in
 * `hrm-webgpu/node`.
 */

export {
  type Device,
  DeviceLostError,
  GpuError,
  type OnDeviceLost,
  openDevice,
  type Reopen,
  UserError,
  wrapDevice,
} from '@hrm-webgpu/core';
export { loadTuning, saveTuning, tuningPlace } from '#tuning-store';
export { ARC_KS, type ArcRow, type ArcScore, ArcVote, type Attempts } from './data/arc/arc-vote.ts';
export { relabelDigits } from './data/augment.ts';
export type { Curriculum } from './data/dataset/curriculum.ts';
export {
  type DatasetMetadata,
  type DatasetSet,
  type DecodeOptions,
  decodeSplit,
  encodeSplit,
  type OpenRows,
  type ReadFile,
  type Split,
} from './data/dataset/dataset.ts';
export type { DeclaredSymmetry } from './data/dataset/declared-symmetries.ts';
export { fingerprint } from './data/dataset/fingerprint.ts';
export { npyRows, type SyncFile } from './data/dataset/npy-rows.ts';
export { type Batch, TrainSampler, testBatches, totalSteps } from './data/dataset/sampler.ts';
export { type TokenRows, tokenRows } from './data/dataset/token-rows.ts';
export { MAZE } from './data/maze/maze.ts';
export { rulesBroken, sudokuGrid, sudokuShape, sudokuTokens } from './data/sudoku/sudoku.ts';
export { buildSudokuSplits } from './data/sudoku/sudoku-dataset.ts';
export { type Answer, type AnswerOptions, answers } from './evaluation/answers.ts';
export { type EvaluateOptions, type Evaluation, evaluate } from './evaluation/evaluate.ts';
export type { GuessesByCount, GuessReport } from './evaluation/guess-tally.ts';
export { type ByteSource, blobSource, bytesSource } from './formats/files/byte-source.ts';
export { openTensorFile } from './formats/open-checkpoint.ts';
export type { FilePart, TensorFile } from './formats/tensor-file.ts';
export { parseYaml, stringifyYaml } from './formats/yaml/yaml.ts';
export type { GuessingOptions } from './guesses/guessing.ts';
export { loadGuessing } from './guesses/load-guessing.ts';
export type { Guess, Rule, Selection } from './guesses/select.ts';
export type { Guessing } from './guesses/think.ts';
export {
  type CallOutput,
  type Exploration,
  evaluationCall,
  type MetricSums,
  noExploration,
  readMetrics,
  totalLoss,
  trainingCall,
} from './model/act.ts';
export { Carry, type DeviceBatch, uploadBatch } from './model/carry.ts';
export {
  type AllConfig,
  type ArchConfig,
  DEFAULT_ARCH,
  DEFAULT_TRAIN,
  type ModelConfig,
  type TrainConfig,
} from './model/config.ts';
export { Inference } from './model/inference.ts';
export { initializeModel } from './model/init.ts';
export { configOf, type LoadOptions, loadModel } from './model/load.ts';
export {
  HrmModel,
  type ModelInput,
  type SegmentOutput,
  type State,
  type StepObserver,
} from './model/model.ts';
export { formatAllConfig, parseAllConfig, parseModelConfig } from './model/parse-config.ts';
export { openFixture } from './parity/fixture.ts';
export { runParity } from './parity/parity.ts';
export { HRM, type HrmOptions } from './solving/hrm.ts';
export type { CheckpointSource } from './solving/hrm-source.ts';
export type { GridAnswer, GridGuess, Solution, SolveOptions, Thought } from './solving/solve-options.ts';
export type { Checker } from './tasks/checkers.ts';
export { type Grid, type Task, taskOf } from './tasks/tasks.ts';
export { encodeModel, encodeTraining, loadTraining, readMetadata } from './training/checkpoint.ts';
export { Optimizers, scheduleFactor } from './training/optimizers.ts';
export { PRESETS, type Preset, preset } from './training/presets.ts';
export type {
  Augmentation,
  Progress,
  StepOptions,
  StepReport,
  StepTrace,
  TrainingState,
} from './training/steps.ts';
export { Survival } from './training/survival.ts';
export { Trainer, type TrainerOptions } from './training/trainer.ts';
export { type Tuned, tuneOperations } from './tuning/tune-operations.ts';
export { operationsOf, recordInference, recordTraining, type Workload } from './tuning/tuning-uses.ts';
export { verifyKernels } from './tuning/verify.ts';
