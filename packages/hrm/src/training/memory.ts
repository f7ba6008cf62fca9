/** What training takes in GPU memory, told before anything is allocated. */
import { sizeOf, UserError } from '@hrm-webgpu/core';
import { hasQContinue } from '../model/act.ts';
import { type ModelConfig, puzzlePositions, swigluWidth } from '../model/config.ts';
import { PUZZLE_ROWS, parameterBytes, parameterShapes } from '../model/parameters.ts';
import { divisorsOf } from './micro-batches.ts';

const FLOAT = 4;

/** Bytes of a training run, and the one buffer that decides whether an adapter takes it. */
export interface MemoryEstimate {
  /** Weights and the transposed copies that the kernels read; of their average as well. */
  weights: number;
  optimizer: number;
  /** States and data of all rows of the batch. */
  carry: number;
  /** Activations and gradients, for as many rows as are worked through at a time. */
  activations: number;
  /** A batch of the evaluation, which keeps nothing for a way back. */
  evaluation: number;
  total: number;
  largest: { what: string; bytes: number };
}

/** The batches of a run. */
export interface MemoryUse {
  /** global_batch_size */
  batch: number;
  /** Rows of it worked through at a time, a divisor. */
  rows: number;
  /** Rows of an evaluation's batch; 0 for a run without. */
  evaluated: number;
  /** Whether there is an average of the weights as well. */
  ema?: boolean;
}

/** What an adapter allows; `memory` only where it is known. */
export interface MemoryLimits {
  maxBufferSize: number;
  maxStorageBufferBindingSize: number;
  memory?: number;
}

/**
 * The memory of a training run, to about a tenth: whole tensors are counted exactly, what a step uses in passing by
 * the tensors that are alive at its peak (see {@link activationBytes}).
 */
export function estimateMemory(
  config: ModelConfig,
  { batch, rows, evaluated, ema = false }: MemoryUse,
): MemoryEstimate {
  const { weights, transposed, trained } = parameterBytes(config);
  const positions = puzzlePositions(config) + config.seq_len;
  const states = 2 * positions * config.hidden_size;
  const data = 2 * (2 * config.seq_len + 1) + 2; // the rows at work, and those that come in
  const parts = {
    weights: weights + transposed + (ema ? trained + transposed : 0),
    optimizer: 2 * trained,
    carry: FLOAT * batch * (states + data),
    activations: activationBytes(config, rows, trained, rows < batch),
    // The states that come out stand beside those of the carry.
    evaluation: FLOAT * evaluated * (positions * extraSegmentFloats(config) + 2 * states + data),
  };
  const total = Object.values(parts).reduce((a, b) => a + b);
  return { ...parts, total, largest: largestBuffer(config, rows) };
}

/**
 * Floats that a step keeps for each position of a sequence at its peak, which is within the segment for the target of
 * q_continue: what the differentiated steps saved for the way back, and one block of the extra segment.
 */
function floatsPerPosition(config: ModelConfig): number {
  const { hidden_size: dim, num_heads, vocab_size, H_layers, L_layers } = config;
  const width = swigluWidth(config);
  // q, k, v (3·dim), attention's output and log-sum-exp, the two normed sums and their scales, and the SwiGLU's
  // gate, up (2·width) and product.
  const block = 6 * dim + 3 * width + num_heads + 2;
  const { gradient_cycles, L_cycles } = config;
  const layers =
    gradient_cycles === 0 ? H_layers + L_layers : gradient_cycles * (H_layers + L_cycles * L_layers);
  const saved = layers * block + 2 * dim + vocab_size;
  return saved + (hasQContinue(config) ? extraSegmentFloats(config) : 3 * width);
}

/**
 * The same for a segment without a way back: the SwiGLU or q, k, v, beside the embedding and what is normed. States and
 * the block's input are in the carry's memory.
 */
function extraSegmentFloats(config: ModelConfig): number {
  const { hidden_size: dim } = config;
  return Math.max(3 * swigluWidth(config) + 3 * dim, 9 * dim);
}

/**
 * Gradients come to be while what was saved for them goes. How well the two share memory was measured with plans of
 * all sizes: the larger and a fifth of the smaller; a sum over several parts is one more set of gradients, and a tenth.
 */
function activationBytes(config: ModelConfig, rows: number, trained: number, inParts: boolean): number {
  const positions = puzzlePositions(config) + config.seq_len;
  const saved = FLOAT * rows * positions * floatsPerPosition(config);
  const step = Math.max(saved, trained) + Math.min(saved, trained) / 5;
  return Math.round(inParts ? step + 1.1 * trained : step);
}

/**
 * Rows of an evaluation's batch whose largest activation fits one binding of the adapter; 128 are enough, and no more
 * than there are `examples`.
 */
export function evaluationRows(
  config: ModelConfig,
  limits: MemoryLimits,
  examples = Number.POSITIVE_INFINITY,
): number {
  const row = Math.max(...activationShapes(config, 1).map(({ shape }) => FLOAT * sizeOf(shape)));
  const limit = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
  return Math.min(examples, Math.max(1, Math.min(128, Math.floor(limit / row))));
}

/** The large ones. */
function activationShapes(config: ModelConfig, rows: number): { what: string; shape: readonly number[] }[] {
  const positions = puzzlePositions(config) + config.seq_len;
  return [
    { what: "the SwiGLU's gate and up", shape: [rows, positions, 2 * swigluWidth(config)] },
    { what: 'queries, keys and values', shape: [rows, positions, 3 * config.hidden_size] },
    { what: 'the logits', shape: [rows, positions, config.vocab_size] },
  ];
}

function largestBuffer(config: ModelConfig, rows: number): MemoryEstimate['largest'] {
  // The puzzle rows are stored in as many buffers as they need.
  const weights = [...parameterShapes(config)]
    .filter(([name]) => name !== PUZZLE_ROWS)
    .map(([what, shape]) => ({ what, shape }));
  const buffers = [...weights, ...activationShapes(config, rows)];
  const { what, shape } = buffers.reduce((a, b) => (sizeOf(b.shape) > sizeOf(a.shape) ? b : a));
  return { what: `${what} [${shape.join(', ')}]`, bytes: FLOAT * sizeOf(shape) };
}

/** Why a run does not fit; undefined when it does. */
function misfit({ largest, total }: MemoryEstimate, limits: MemoryLimits): string | undefined {
  const { maxBufferSize, maxStorageBufferBindingSize, memory } = limits;
  const [limit, name] =
    maxStorageBufferBindingSize < maxBufferSize
      ? [maxStorageBufferBindingSize, 'maxStorageBufferBindingSize']
      : [maxBufferSize, 'maxBufferSize'];
  if (largest.bytes > limit) {
    return `${largest.what} would take ${mega(largest.bytes)} in one buffer, and this adapter allows ${mega(limit)} (${name})`;
  }
  if (memory !== undefined && total > memory) {
    return `the run would take about ${mega(total)}, and ${mega(memory)} of memory are free`;
  }
  return undefined;
}

/**
 * Refuses a run that does not fit.
 *
 * @throws UserError with the largest number of rows at a time that fits, if there is one
 */
export function checkMemory(config: ModelConfig, use: MemoryUse, limits: MemoryLimits): MemoryEstimate {
  const { batch, rows } = use;
  const estimate = estimateMemory(config, use);
  const reason = misfit(estimate, limits);
  if (reason === undefined) return estimate;
  const fits = divisorsOf(batch).find(
    (fewer) => fewer < rows && misfit(estimateMemory(config, { ...use, rows: fewer }), limits) === undefined,
  );
  throw new UserError(
    `a ${rows === batch ? 'batch' : 'micro-batch'} of ${rows} does not fit: ${reason}. ` +
      (fits === undefined
        ? 'Not even one row at a time would fit: use a smaller model or global_batch_size, or another adapter.'
        : `The most that fits is --micro-batch ${fits}: the same training, with ${fits} rows at a time.`),
  );
}

const mega = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
