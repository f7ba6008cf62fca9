/** Puzzles thought through segment by segment, with the states after every step of either module. */

import { type Plan, Tensor } from '@hrm-webgpu/core';
import { crossEntropyRows } from '@hrm-webgpu/kernels';
import type { Batch } from '../data/dataset/sampler.ts';
import { Carry, type DeviceBatch, uploadBatch } from '../model/carry.ts';
import type { HrmModel } from '../model/model.ts';
import { confidenceOf } from './confidence.ts';

/** One step of a module. */
export interface ObservedStep {
  level: 'H' | 'L';
  /** What the step made of its module's state [batch, T, D]. */
  state: Float32Array;
  /** What an H step would answer from here [batch, seq_len]; of L steps, where asked for. */
  answer?: Int32Array;
}

export interface ObservedSegment {
  /** In the order in which they were made: L_cycles L steps and an H step for each of the H_cycles. */
  steps: ObservedStep[];
  /** [batch, seq_len] */
  prediction: Int32Array;
  /** Logits [batch, 2]: halt, continue. */
  q: Float32Array;
  /** [batch, seq_len], where asked for: the probability that the model itself gives to each token of its prediction. */
  confidence?: Float32Array;
}

export interface ObserveOptions {
  /** How many; more than `halt_max_steps` is inference-time scaling. */
  segments: number;
  /** Whether to decode an answer after every L step. */
  answers?: boolean;
  /** Whether to say how sure the model is of each token of its prediction. */
  confidences?: boolean;
  signal?: AbortSignal;
}

/** Where a recorded segment leaves its steps: memory from outside, which every replay fills anew. */
interface StepMemory {
  level: 'H' | 'L';
  state: Tensor;
  answer?: Tensor;
}

/**
 * Runs all rows of a batch for so many segments; nobody halts. The states are those of any other run, bit by bit: what
 * observes them copies and decodes.
 *
 * @returns each segment when it is done; its arrays belong to the caller
 */
export async function* observe(
  model: HrmModel,
  batch: Batch,
  { segments, answers = false, confidences = false, signal }: ObserveOptions,
): AsyncGenerator<ObservedSegment> {
  const { device } = model;
  const rows = batch.puzzleIdentifiers.length;
  model.localPuzzleRows(rows); // which the model keeps, and a recording would not
  const carry = Carry.fresh(model, rows);
  const data = uploadBatch(model, batch);
  const memory = stepMemory(carry, answers);
  let plan: Plan<SegmentResult> | undefined;
  try {
    plan = device.record(() => device.tape.noGrad(() => recordSegment(carry, data, memory, confidences)));
    for (let segment = 0; segment < segments; segment++) {
      await device.stream.ready();
      signal?.throwIfAborted();
      plan.replay();
      carry.current.halted.write(new Uint32Array(rows)); // the next segment goes on from here
      yield await read(model, plan.result, memory);
    }
  } finally {
    plan?.dispose();
    carry.dispose();
    for (const tensor of Object.values(data) as Tensor[]) tensor.dispose();
    for (const { state, answer } of memory) {
      state.dispose();
      answer?.dispose();
    }
  }
}

function stepMemory({ model, batch }: Carry, answers: boolean): StepMemory[] {
  const { device, config, positions } = model;
  const step = (level: 'H' | 'L'): StepMemory => ({
    level,
    state: Tensor.empty(device, [batch, positions, config.hidden_size]),
    ...(answers && level === 'L' && { answer: Tensor.empty(device, [batch, config.seq_len], 'i32') }),
  });
  return Array.from({ length: config.H_cycles }, () => [
    ...Array.from({ length: config.L_cycles }, () => step('L')),
    step('H'),
  ]).flat();
}

/** What a recorded segment gives; logits [batch, T, V] where they are read. */
interface SegmentResult {
  prediction: Tensor;
  q: Tensor;
  logits?: Tensor;
}

function recordSegment(
  carry: Carry,
  data: DeviceBatch,
  memory: readonly StepMemory[],
  withLogits: boolean,
): SegmentResult {
  const { model, current } = carry;
  const { loss_type } = model.config;
  const predictionOf = (logits: Tensor) => crossEntropyRows(logits, current.labels, loss_type).prediction;
  carry.refill(data);
  let step = 0;
  const output = model.segment(current, current, current, (level, states) => {
    const { state, answer } = memory[step++];
    state.assign(states[`z_${level}`]);
    model.device.scope(() => answer?.assign(predictionOf(model.intermediateLogits(states))));
  });
  carry.advance(output);
  const { logits, q } = output;
  return { prediction: predictionOf(logits), q, ...(withLogits && { logits }) };
}

async function read(
  { config }: HrmModel,
  { prediction, q, logits }: SegmentResult,
  memory: readonly StepMemory[],
): Promise<ObservedSegment> {
  const readSteps = memory.map(async ({ level, state, answer }) => {
    const [values, tokens] = await Promise.all([state.readF32(), answer?.read()]);
    return { level, state: values, ...(tokens && { answer: tokens as Int32Array }) };
  });
  const [tokens, qs, values, steps] = await Promise.all([
    prediction.read(),
    q.readF32(),
    logits?.readF32(),
    Promise.all(readSteps),
  ]);
  return {
    ...{ steps, prediction: tokens as Int32Array, q: qs },
    ...(values && { confidence: confidenceOf(values, tokens as Int32Array, config) }),
  };
}
