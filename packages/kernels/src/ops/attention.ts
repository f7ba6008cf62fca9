import { type Device, Tensor, UserError } from '@hrm-webgpu/core';
import { softwareAttention } from '#software-kernels';
import { attention as plain } from '../defs/attention.ts';
import { attentionWorkgroup } from '../defs/attention_workgroup.ts';
import { rope as ropeKernel } from '../defs/rope.ts';
import { launch } from '../kernel.ts';
import { run } from '../operation.ts';
import { expectShape } from './shapes.ts';

/** cos and sin [seq_len, head_dim/2] of rotary position embedding. */
export interface RopeTables {
  cosines: Tensor;
  sines: Tensor;
}

/**
 * RoPE tables in f32, rounded after every operation as the published implementation does: float64 tables differ
 * from them by 4e-5 at position 901.
 */
export function makeRopeTables(device: Device, seqLen: number, headDim: number, theta: number): RopeTables {
  const half = headDim / 2;
  const cosines = new Float32Array(seqLen * half);
  const sines = new Float32Array(seqLen * half);
  for (let i = 0; i < half; i++) {
    const exponent = Math.fround(Math.fround(2 * i) / headDim);
    const frequency = Math.fround(1 / Math.fround(theta ** exponent));
    for (let position = 0; position < seqLen; position++) {
      const angle = Math.fround(position * frequency);
      cosines[position * half + i] = Math.cos(angle);
      sines[position * half + i] = Math.sin(angle);
    }
  }
  return {
    cosines: Tensor.from(device, cosines, [seqLen, half]),
    sines: Tensor.from(device, sines, [seqLen, half]),
  };
}

/** Rotates the q and k heads of qkv [batch, seq_len, 3·heads·head_dim]. Su et al., arXiv 2104.09864. */
export function rope(qkv: Tensor, tables: RopeTables, heads: number): Tensor {
  expectShape('rope', 'qkv', qkv, [undefined, undefined, undefined]);
  const [, seqLen, width] = qkv.shape;
  const headDim = width / (3 * heads);
  expectShape('rope', 'the table of cosines', tables.cosines, [seqLen, headDim / 2]);
  expectShape('rope', 'the table of sines', tables.sines, [seqLen, headDim / 2]);
  const y = rotate(qkv, tables, heads, 1);
  qkv.device.tape.record('rope', [qkv], y, [tables.cosines, tables.sines], { heads });
  return y;
}

/** @internal Rotates by the angles of the tables (sign 1), or back (sign −1). Not differentiable. */
export function rotate(qkv: Tensor, tables: RopeTables, heads: number, sign: 1 | -1): Tensor {
  const { device, shape } = qkv;
  const [batch, seqLen, width] = shape;
  const params = { tokens: batch * seqLen, seq_len: seqLen, heads, head_dim: width / (3 * heads), sign };
  const y = Tensor.empty(device, shape);
  launch(device, ropeKernel, { x: qkv, ...tables, y }, params);
  return y;
}

/** The widest heads that the kernels for GPUs have room for in workgroup memory and registers. */
const MAX_HEAD_DIM = 128;

/** GPUs want tiles in workgroup memory; software adapters, which only pay for it, have kernels of their own. */
export const attentionOperation = {
  name: 'attention',
  kernels: [...softwareAttention, plain, attentionWorkgroup],
};

/**
 * softmax(q·kᵀ/√head_dim)·v for each head of qkv [batch, seq_len, 3·heads·head_dim] (all q heads, then k, then v) →
 * [batch, seq_len, heads·head_dim]. Memory grows with seq_len, not its square.
 *
 * @throws UserError when head_dim is not even, or above 128
 */
export function attention(qkv: Tensor, heads: number): Tensor {
  expectShape('attention', 'qkv', qkv, [undefined, undefined, undefined]);
  const { device, shape } = qkv;
  const [batch, seqLen, width] = shape;
  const headDim = width / (3 * heads);
  if (!Number.isInteger(headDim / 2)) {
    throw new UserError(`attention: ${width} numbers a token are not 3 × ${heads} heads of an even head_dim`);
  }
  if (headDim > MAX_HEAD_DIM) {
    throw new UserError(
      `attention: ${width} numbers a token are 3 × ${heads} heads of a head_dim of ${headDim}, which may be at most ` +
        `${MAX_HEAD_DIM}: use more heads`,
    );
  }
  const params = { batch, seq_len: seqLen, heads, head_dim: headDim };
  const o = Tensor.empty(device, [batch, seqLen, heads * headDim]);
  const log_sum_exp = Tensor.empty(device, [batch, heads, seqLen]);
  run(device, attentionOperation, { qkv, o, log_sum_exp }, params);
  device.tape.record('attention', [qkv], o, [qkv, o, log_sum_exp], { heads });
  log_sum_exp.dispose();
  return o;
}
