/** Every kernel of a training call of the full-size model, with the shapes it has there. */
import type { HostArray, ParamValues } from '@hrm-webgpu/core';
import { Philox } from '@hrm-webgpu/core';
import {
  attentionBackwardOperations,
  attentionOperation,
  type KernelCheck,
  type KernelHost,
  multiply,
} from '@hrm-webgpu/kernels';
import { check as accumulate } from '@hrm-webgpu/kernels/defs/accumulate';
import { check as actExplore } from '@hrm-webgpu/kernels/defs/act_explore';
import { check as actStep } from '@hrm-webgpu/kernels/defs/act_step';
import { check as adamAtan2 } from '@hrm-webgpu/kernels/defs/adam_atan2';
import { check as add } from '@hrm-webgpu/kernels/defs/add';
import { type AttentionParams, check as attention } from '@hrm-webgpu/kernels/defs/attention';
import { check as attentionBackwardKey } from '@hrm-webgpu/kernels/defs/attention_backward_key';
import { check as attentionBackwardQuery } from '@hrm-webgpu/kernels/defs/attention_backward_query';
import { check as attentionSubgroup } from '@hrm-webgpu/kernels/defs/attention_subgroup';
import { check as attentionSubgroupBackwardKey } from '@hrm-webgpu/kernels/defs/attention_subgroup_backward_key';
import { check as attentionSubgroupBackwardQuery } from '@hrm-webgpu/kernels/defs/attention_subgroup_backward_query';
import { check as attentionWorkgroup } from '@hrm-webgpu/kernels/defs/attention_workgroup';
import { check as attentionWorkgroupBackwardKey } from '@hrm-webgpu/kernels/defs/attention_workgroup_backward_key';
import { check as attentionWorkgroupBackwardQuery } from '@hrm-webgpu/kernels/defs/attention_workgroup_backward_query';
import { check as bceLogits } from '@hrm-webgpu/kernels/defs/bce_logits';
import { check as bceLogitsBackward } from '@hrm-webgpu/kernels/defs/bce_logits_backward';
import { check as crossEntropy } from '@hrm-webgpu/kernels/defs/cross_entropy';
import { check as crossEntropyBackward } from '@hrm-webgpu/kernels/defs/cross_entropy_backward';
import { check as embeddingBackward } from '@hrm-webgpu/kernels/defs/embedding_backward';
import { check as gatherRows } from '@hrm-webgpu/kernels/defs/gather_rows';
import { check as inputEmbedding } from '@hrm-webgpu/kernels/defs/input_embedding';
import { type MatmulParams, check as matmul } from '@hrm-webgpu/kernels/defs/matmul';
import { check as metrics } from '@hrm-webgpu/kernels/defs/metrics';
import { check as qHead } from '@hrm-webgpu/kernels/defs/q_head';
import { check as qHeadBackwardState } from '@hrm-webgpu/kernels/defs/q_head_backward_state';
import { check as qHeadBackwardWeight } from '@hrm-webgpu/kernels/defs/q_head_backward_weight';
import { check as qTargets } from '@hrm-webgpu/kernels/defs/q_targets';
import { check as residualRmsNorm } from '@hrm-webgpu/kernels/defs/residual_rms_norm';
import { check as residualRmsNormBackward } from '@hrm-webgpu/kernels/defs/residual_rms_norm_backward';
import { check as rope } from '@hrm-webgpu/kernels/defs/rope';
import { check as rowLoss } from '@hrm-webgpu/kernels/defs/row_loss';
import { check as scaledHead } from '@hrm-webgpu/kernels/defs/scaled_head';
import { check as selectRows } from '@hrm-webgpu/kernels/defs/select_rows';
import { check as signSgd } from '@hrm-webgpu/kernels/defs/sign_sgd';
import { check as swiglu } from '@hrm-webgpu/kernels/defs/swiglu';
import { check as swigluBackward } from '@hrm-webgpu/kernels/defs/swiglu_backward';
import { check as transpose } from '@hrm-webgpu/kernels/defs/transpose';
import { check as transposePacks } from '@hrm-webgpu/kernels/defs/transpose_packs';
import { standardChoice } from '@hrm-webgpu/kernels/operation';
import type { KernelCase } from '../timing/kernel-run.ts';
import { BLOCK_LAYERS } from './block-shapes.ts';
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
    check: matmul,
    params,
    run: ({ a, b, c }) => multiply(a, b, c, params),
    verify: ({ inputs, outputs }) => verifyProduct(params, inputs, outputs.c),
  });
  return BLOCK_LAYERS.flatMap(([inner, out]) => [
    product(`${inner}→${out}`, { m: TOKENS, n: out, k: inner, a_row: inner, a_column: 1 }),
    product(`${inner}→${out} dx`, { m: TOKENS, n: inner, k: out, a_row: out, a_column: 1 }),
    product(`${inner}→${out} dW`, { m: out, n: inner, k: TOKENS, a_row: 1, a_column: out }),
  ]);
}

/** A gigaflop in float64 takes the host seconds: samples of it do. */
function verifyProduct(
  params: MatmulParams,
  { a, b }: Readonly<Record<string, HostArray>>,
  c: HostArray,
): void {
  const { m, n, k, a_row, a_column } = params;
  const exact = (row: number, column: number) => {
    let sum = 0;
    for (let l = 0; l < k; l++) sum += a[row * a_row + l * a_column] * b[l * n + column];
    return sum;
  };
  checkSampled('matmul', c, [m, n], exact, matmul.tolerance(params), new Philox(1));
}

const ATTENTION_CHECKS = [
  attention,
  attentionBackwardQuery,
  attentionBackwardKey,
  attentionSubgroup,
  attentionSubgroupBackwardQuery,
  attentionSubgroupBackwardKey,
  attentionWorkgroup,
  attentionWorkgroupBackwardQuery,
  attentionWorkgroupBackwardKey,
];

/** The checks of the kernels that the engine takes for attention on an adapter: forward, query and key. */
export function attentionChecks(host: KernelHost, params: AttentionParams) {
  return [attentionOperation, ...Object.values(attentionBackwardOperations)].map((operation) => {
    const { kernel } = standardChoice(operation, host, params);
    return ATTENTION_CHECKS.find((check) => check.kernel.name === kernel) as KernelCheck<AttentionParams>;
  });
}

function attentionCases(host: KernelHost): PartCase[] {
  const params = { batch: BATCH, seq_len: SEQ_LEN, heads: HEADS, head_dim: DIM / HEADS };
  return [
    ...attentionChecks(host, params).map((check) => of('attention', check, params)),
    of('attention', rope, { tokens: TOKENS, seq_len: SEQ_LEN, heads: HEADS, head_dim: DIM / HEADS, sign: 1 }),
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
    of('norm', residualRmsNorm, { ...norm, eps: 1e-5 }),
    of('norm', residualRmsNormBackward, norm),
    of('norm', add, { length: TOKENS * DIM }),
    of('norm', accumulate, { length: TOKENS * DIM }),
    of('mlp', swiglu, mlp),
    of('mlp', swigluBackward, mlp),
    of('embedding', inputEmbedding, { ...tokens, puzzle_dim: DIM, scale: Math.sqrt(DIM), position_scale: 0 }),
    of('embedding', gatherRows, puzzleRows),
    of('embedding', embeddingBackward, { ...tokens, vocab: VOCAB, scale: Math.sqrt(DIM) }),
    of('embedding', scaledHead, {
      batch: BATCH,
      row_length: SEQ_LEN * DIM,
      width: DIM,
      scale: Math.sqrt(DIM),
    }),
    of('loss', crossEntropy, labels),
    of('loss', crossEntropyBackward, labels),
    of('loss', rowLoss, { batch: BATCH, labels_len: SEQ_LEN - 1 }),
    of('loss', bceLogits, { length: 2 * BATCH }),
    of('loss', bceLogitsBackward, { length: 2 * BATCH }),
    of('loss', metrics, { batch: BATCH }),
    of('act', qHead, head),
    of('act', qHeadBackwardState, head),
    of('act', qHeadBackwardWeight, head),
    of('act', qTargets, halting),
    of('act', actExplore, { ...halting, first_row: 0, key0: 1, key1: 0, stream: 0 }),
    of('act', actStep, { ...halting, early: 1, exploration: 0.1 }),
    of('act', selectRows, { batch: BATCH, length: SEQ_LEN * DIM, a_row: 0, a_period: DIM }),
    of('optimizer', transpose, { rows: VOCAB, columns: DIM }),
    of('optimizer', transposePacks, { rows: 2 * INTER, columns: DIM }),
    of('optimizer', adamAtan2, { length: 2 * INTER * DIM, rate1: 0.1, rate2: 0.05 }),
    of('optimizer', signSgd, puzzleRows),
  ];
}

function of<P extends ParamValues>(part: KernelPart, check: KernelCheck<P>, params: P): PartCase {
  return { name: check.kernel.name, part, check, params };
}
