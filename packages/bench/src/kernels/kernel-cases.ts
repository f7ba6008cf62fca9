/** Every kernel of a training call of the full-size model, with the shapes it has there. */
import type { ParamValues } from '@hrm-webgpu/core';
import { Philox } from '@hrm-webgpu/core';
import {
  attentionBackwardOperations,
  attentionOperation,
  type KernelCheck,
  type KernelHost,
  multiply,
} from '@hrm-webgpu/kernels';
import { type AttentionParams, typedChecks as checks, type MatmulParams } from '@hrm-webgpu/kernels/checks';
import { standardChoice } from '@hrm-webgpu/kernels/operation';
import type { KernelCase, Results } from '../timing/kernel-run.ts';
import { BLOCK_LAYERS } from './block-shapes.ts';
import { modelShape } from './model-shape.ts';
import { checkSampled } from './sampled-check.ts';

/** The model of the paper on 9×9 Sudoku: 8 puzzles of 81 tokens behind one puzzle position. */
const BATCH = 8;
const SEQ_LEN = 82;
const DIM = 512;
const HEADS = 8;
const INTER = 1536;
const VOCAB = 11;
const TOKENS = BATCH * SEQ_LEN;

export const FULL_SIZE = { batch: BATCH, positions: SEQ_LEN, hidden: DIM, heads: HEADS, inter: INTER };

/** What `bench kernels` can be restricted to. */
export const KERNEL_PARTS = [
  'matmul',
  'attention',
  'norm',
  'mlp',
  'embedding',
  'loss',
  'act',
  'optimizer',
] as const;

export type KernelPart = (typeof KERNEL_PARTS)[number];

/** A case and the part it belongs to. */
export type PartCase = KernelCase & { part: KernelPart };

/** The cases for an adapter: where kernels for one computation differ, those that the engine takes on it. */
export function kernelCases(host: KernelHost): PartCase[] {
  return [...matmulCases(), ...attentionCases(host), ...otherCases()];
}

function matmulCases(): PartCase[] {
  const product = (name: string, params: MatmulParams): PartCase => ({
    name: `matmul ${name}`,
    part: 'matmul',
    check: checks.matmul,
    params,
    run: ({ a, b, c }) => multiply(a, b, c, params),
    verify: (results) => verifyProduct(params, results),
  });
  return BLOCK_LAYERS.flatMap(([inner, out]) => [
    product(`${inner}→${out}`, forwardProduct(inner, out)),
    product(`${inner}→${out} dx`, { m: TOKENS, n: inner, k: out, a_row: out, a_column: 1 }),
    product(`${inner}→${out} dW`, { m: out, n: inner, k: TOKENS, a_row: 1, a_column: out }),
  ]);
}

const forwardProduct = (inner: number, out: number): MatmulParams => ({
  ...{ m: TOKENS, n: out, k: inner, a_row: inner, a_column: 1 },
});

/** Cases of a kernel that occurs in no list, being one of several that do the same: those of its family. */
function familyCases(check: KernelCheck<ParamValues>): KernelCase[] {
  const { name } = check.kernel;
  const withShape = (shape: ParamValues): ParamValues => {
    const own = check.cases[0];
    return { ...own, ...Object.fromEntries(Object.entries(shape).filter(([key]) => key in own)) };
  };
  if (name.startsWith('attention')) return [{ name, check, params: withShape(ATTENTION) }];
  if (!name.startsWith('matmul')) return [];
  return BLOCK_LAYERS.map(([inner, out]) => {
    const product = forwardProduct(inner, out);
    const verify: KernelCase['verify'] = (results) => verifyProduct(product, results);
    return { name: `${name} ${inner}→${out}`, check, params: withShape(product), verify };
  });
}

/** How many of a kernel's test cases are timed where the full-size model says nothing of its sizes. */
const LARGEST_CASES = 3;

/**
 * A kernel's cases at the shapes that it has in a training call of the full-size model; where it has none there, at one of the
 * model's sizes, else at the largest of its check.
 */
export function casesOf(host: KernelHost, check: KernelCheck<ParamValues>): KernelCase[] {
  const { kernel, cases } = check;
  const own = kernelCases(host).filter((other) => other.check.kernel.name === kernel.name && !other.run);
  const found = own.length > 0 ? own : familyCases(check);
  if (found.length > 0) return found;
  const shaped = (params: ParamValues): KernelCase => ({
    ...{ name: `${kernel.name} ${shapeText(params)}`, check, params },
  });
  const shape = modelShape(check);
  if (shape) return [shaped(shape)];
  const work = (params: ParamValues) => kernel.flops(params) + kernel.bytes(params);
  const largest = [...cases].sort((a, b) => work(b) - work(a)).slice(0, LARGEST_CASES);
  return largest.map(shaped);
}

/** `rows=3 width=34` */
const shapeText = (params: ParamValues) =>
  Object.entries(params)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');

/** A gigaflop in float64 takes the host seconds: samples of it do. */
function verifyProduct(params: MatmulParams, { inputs: { a, b }, outputs: { c }, tolerance }: Results): void {
  const { m, n, k, a_row, a_column } = params;
  const exact = (row: number, column: number) => {
    let sum = 0;
    for (let l = 0; l < k; l++) sum += a[row * a_row + l * a_column] * b[l * n + column];
    return sum;
  };
  checkSampled('matmul', c, [m, n], exact, tolerance('c'), new Philox(1));
}

/** The checks of the kernels that the engine takes for attention on an adapter: forward, query and key. */
export function attentionChecks(host: KernelHost, params: AttentionParams) {
  return [attentionOperation, ...Object.values(attentionBackwardOperations)].map((operation) => {
    const { kernel } = standardChoice(operation, host, params);
    return (checks as unknown as Record<string, KernelCheck<AttentionParams>>)[kernel];
  });
}

const ATTENTION: AttentionParams = { batch: BATCH, seq_len: SEQ_LEN, heads: HEADS, head_dim: DIM / HEADS };

function attentionCases(host: KernelHost): PartCase[] {
  return [
    ...attentionChecks(host, ATTENTION).map((check) => of('attention', check, ATTENTION)),
    of('attention', checks.rope, {
      tokens: TOKENS,
      seq_len: SEQ_LEN,
      heads: HEADS,
      head_dim: DIM / HEADS,
      sign: 1,
    }),
  ];
}

function otherCases(): PartCase[] {
  const norm = { rows: TOKENS, columns: DIM };
  const mlp = { rows: TOKENS, width: INTER };
  const tokens = { batch: BATCH, inputs_len: SEQ_LEN - 1, prefix: 1, dim: DIM };
  const labels = { batch: BATCH, labels_len: SEQ_LEN - 1, prefix: 1, vocab: VOCAB };
  const head = { batch: BATCH, seq_len: SEQ_LEN, dim: DIM };
  const halting = { batch: BATCH, max_steps: 16 };
  const puzzleRows = { batch: BATCH, width: DIM, first: 0, count: 9 };
  return [
    of('norm', checks.residual_rms_norm, { ...norm, eps: 1e-5 }),
    of('norm', checks.residual_rms_norm_backward, norm),
    of('norm', checks.add, { length: TOKENS * DIM }),
    of('norm', checks.accumulate, { length: TOKENS * DIM }),
    of('mlp', checks.swiglu, mlp),
    of('mlp', checks.swiglu_backward, mlp),
    of('embedding', checks.input_embedding, {
      ...tokens,
      puzzle_dim: DIM,
      scale: Math.sqrt(DIM),
      position_scale: 0,
    }),
    of('embedding', checks.gather_rows, puzzleRows),
    of('embedding', checks.embedding_backward, { ...tokens, vocab: VOCAB, scale: Math.sqrt(DIM) }),
    of('embedding', checks.scaled_head, {
      batch: BATCH,
      row_length: SEQ_LEN * DIM,
      width: DIM,
      scale: Math.sqrt(DIM),
    }),
    of('loss', checks.cross_entropy, labels),
    of('loss', checks.cross_entropy_backward, labels),
    of('loss', checks.row_loss, { batch: BATCH, labels_len: SEQ_LEN - 1 }),
    of('loss', checks.bce_logits, { length: 2 * BATCH }),
    of('loss', checks.bce_logits_backward, { length: 2 * BATCH }),
    of('loss', checks.metrics, { batch: BATCH }),
    of('act', checks.q_head, head),
    of('act', checks.q_head_backward_state, head),
    of('act', checks.q_head_backward_weight, head),
    of('act', checks.q_targets, halting),
    of('act', checks.act_explore, { ...halting, first_row: 0, key0: 1, key1: 0, stream: 0 }),
    of('act', checks.act_step, { ...halting, early: 1, no_continue: 0, exploration: 0.1 }),
    of('act', checks.select_rows, { batch: BATCH, length: SEQ_LEN * DIM, a_row: 0, a_period: DIM }),
    of('optimizer', checks.transpose, { rows: VOCAB, columns: DIM }),
    of('optimizer', checks.transpose_packs, { rows: 2 * INTER, columns: DIM }),
    of('optimizer', checks.adam_atan2, { length: 2 * INTER * DIM, rate1: 0.1, rate2: 0.05 }),
    of('optimizer', checks.sign_sgd, puzzleRows),
    of('optimizer', checks.row_norm, { rows: 2 * INTER, columns: DIM, at: 0 }),
  ];
}

function of<P extends ParamValues>(part: KernelPart, check: KernelCheck<P>, params: P): PartCase {
  return { name: check.kernel.name, part, check, params };
}
