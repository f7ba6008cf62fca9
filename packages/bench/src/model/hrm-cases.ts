/** The models that whole-model benchmarks run, and a recorded call of each. */
import { type Device, Philox, type Plan } from '@hrm-webgpu/core';
import { type Batch, DEFAULT_ARCH, Inference, initializeModel, type ModelConfig } from 'hrm-webgpu';
import { makeTrainingCall, type TrainingCall } from './training-call.ts';

const SUDOKU = { vocab_size: 11, seq_len: 81, num_puzzle_identifiers: 1 };

/** The published model: 27 M parameters. */
export const FULL_MODEL: ModelConfig = { ...DEFAULT_ARCH, ...SUDOKU };

/** A small one of the same build: hidden 128, 2 + 2 layers. */
export const SMALL_MODEL: ModelConfig = {
  ...DEFAULT_ARCH,
  ...SUDOKU,
  hidden_size: 128,
  num_heads: 4,
  H_layers: 2,
  L_layers: 2,
  puzzle_emb_ndim: 128,
};

/** The size of the parity fixture `tiny-rope`: nearly all of its time is the host's and that of starting dispatches. */
export const TINY_MODEL: ModelConfig = {
  ...DEFAULT_ARCH,
  vocab_size: 6,
  seq_len: 16,
  num_puzzle_identifiers: 4,
  hidden_size: 32,
  num_heads: 2,
  H_layers: 1,
  L_layers: 1,
  puzzle_emb_ndim: 32,
  halt_max_steps: 4,
};

/** Random tokens and labels. */
export function randomBatch({ vocab_size, seq_len }: ModelConfig, rows: number): Batch {
  const random = new Philox(1, 7);
  const tokens = () => Int32Array.from({ length: rows * seq_len }, () => 1 + random.below(vocab_size - 1));
  return { inputs: tokens(), labels: tokens(), puzzleIdentifiers: new Int32Array(rows), rows };
}

export function trainingCallOf(device: Device, config: ModelConfig, rows: number): Promise<TrainingCall> {
  return makeTrainingCall(device, config, randomBatch(config, rows));
}

/** From nothing but a device to the end of the first call: weights, recording, compiling, running. */
export async function firstCallSeconds(device: Device, config: ModelConfig, rows: number): Promise<number> {
  const start = performance.now();
  const call = await trainingCallOf(device, config, rows);
  call.run();
  await device.stream.finish();
  const seconds = (performance.now() - start) / 1000;
  call.dispose();
  return seconds;
}

/** A model that runs one segment of a batch at a time. */
export interface Segments {
  plan: Plan<unknown>;
  run(): void;
  dispose(): void;
}

export async function segmentsOf(device: Device, config: ModelConfig, rows: number): Promise<Segments> {
  const model = await initializeModel(device, config, 1);
  const inference = new Inference(model, rows);
  inference.start(randomBatch(config, rows));
  return {
    plan: inference.plan,
    run: () => inference.segment(),
    dispose() {
      inference.dispose();
      model.dispose();
    },
  };
}

/** How many dispatches a replay consists of. */
export function dispatchesOf({ commands }: Plan<unknown>): number {
  return commands.filter((command) => 'program' in command).length;
}

/** FLOPs of a plan's matrix products and attention: what a model cannot do without. */
export function essentialFlops({ commands }: Plan<unknown>): number {
  let sum = 0;
  for (const command of commands)
    if ('program' in command && /^(matmul|attention)/.test(command.program.name)) sum += command.work.flops;
  return sum;
}
