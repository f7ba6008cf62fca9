/** All that an open checkpoint tells without its numbers: no GPU is needed. */

import { UserError } from '@hrm-webgpu/core';
import { dtypeBytes } from '../formats/dtype.ts';
import { elementCount, type FilePart, type TensorFile, type TensorInfo } from '../formats/tensor-file.ts';
import type { KnownConfig } from '../model/load.ts';
import type { Task } from '../tasks/tasks.ts';
import { readMetadata } from '../training/checkpoint.ts';
import { type CheckpointContext, knownConfig } from './checkpoint-context.ts';
import { contradictions, factsOf, type ModelFacts, roleOf, type TensorRole } from './inspect.ts';

export interface ExaminedTensor extends TensorInfo {
  name: string;
  role: TensorRole;
  bytes: number;
}

export interface Examined {
  format: TensorFile['format'];
  /** Which value of the file its tensors are, where it holds other things too. */
  part: FilePart | null;
  /** Null where none of its tensors is one of HRM. */
  model: ModelFacts | null;
  config: KnownConfig | null;
  /** Where the configuration stands. */
  config_from: string | null;
  /** What its grids are, where it says so. */
  task: Task | null;
  /** The position of a run that can be resumed. */
  training: { step: number; total_steps: number } | null;
  tensors: ExaminedTensor[];
  /** How tensors and configuration contradict each other, a sentence each. */
  problems: string[];
}

/** @param context what the file says of itself (`ownContext`), and the configuration that lies beside it */
export function examine(file: TensorFile, context: CheckpointContext): Examined {
  const model = factsOf(file);
  const { config, problems } = model ? fit(file, context) : { config: undefined, problems: [] };
  const progress = readMetadata(file)?.training?.progress;
  return {
    format: file.format,
    part: file.part ?? null,
    model: model ?? null,
    config: config ?? null,
    config_from: config ? (context.config ? 'its metadata' : (context.beside?.path ?? null)) : null,
    task: context.meaning?.task ?? null,
    training: progress ? { step: progress.step, total_steps: progress.totalSteps } : null,
    tensors: file.names.map((name) => {
      const { dtype, shape } = file.info(name);
      return { name, role: roleOf(name), dtype, shape, bytes: elementCount(shape) * dtypeBytes(dtype) };
    }),
    problems,
  };
}

/** The configuration, where there is one, and how the tensors contradict it. */
function fit(file: TensorFile, context: CheckpointContext): { config?: KnownConfig; problems: string[] } {
  if (!context.config && !context.beside) return { problems: [] };
  try {
    const config = knownConfig(file, context);
    return { config, problems: contradictions(file, config) };
  } catch (error) {
    if (error instanceof UserError) return { problems: [error.message] };
    throw error;
  }
}
