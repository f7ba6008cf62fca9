import { backward, type Device } from '@hrm-webgpu/core';
import { attention, gradientRules } from '@hrm-webgpu/kernels';
import { randomTensor, upload } from './inputs.ts';
import type { Part, Task } from './task.ts';
import type { HostTensor } from './tensor-json.ts';

const BATCH = 4;
const HEADS = 4;
const HEAD_DIM = 64;
const SLICES = ['q', 'k', 'v'] as const;

/** Tokens of a Sudoku and of an ARC or maze grid, each with its puzzle position. */
const SEQ_LENS = [82, 901];

/** Attention forward and backward. */
export function attentionPart(device: Device): Part {
  const tasks = async () => SEQ_LENS.map((seqLen) => attentionTask(device, seqLen));
  return { name: 'attention', peers: ['jax-js', 'tfjs'], goals: { 'jax-js': 2 }, tasks };
}

function attentionTask(device: Device, seqLen: number): Task {
  const hostQkv = randomTensor([BATCH, seqLen, 3 * HEADS * HEAD_DIM], 0);
  const hostDo = randomTensor([BATCH, seqLen, HEADS, HEAD_DIM], 1);
  const qkv = upload(device, hostQkv, true);
  const d_o = upload(device, { ...hostDo, shape: [BATCH, seqLen, HEADS * HEAD_DIM] });
  const [q, k, v] = SLICES.map((_, i) => sliceOf(hostQkv, seqLen, i));
  const compute = () => {
    const o = attention(qkv, HEADS);
    return { o, gradients: backward(device, [{ of: o, gradient: d_o }], gradientRules) };
  };
  return {
    name: `forward and backward, ${BATCH} × ${HEADS} heads of ${HEAD_DIM}, ${seqLen} tokens`,
    peerTask: { name: 'attention', params: {} },
    tensors: { q, k, v, d_o: hostDo },
    run: () => device.scope(() => void compute()),
    async results() {
      const { o, gradients } = device.scope(compute);
      const d_qkv = gradients.get(qkv);
      if (!d_qkv) throw new Error('attention gave no gradient');
      const whole = { shape: hostQkv.shape, data: await d_qkv.readF32() };
      const output = await o.readF32();
      o.dispose();
      d_qkv.dispose();
      const slices = SLICES.map((name, i) => [name, sliceOf(whole, seqLen, i)] as const);
      return { value: dot(output, hostDo.data), ...Object.fromEntries(slices) };
    },
    // The weights are exponentials of scores whose sums of HEAD_DIM products carry an error of √HEAD_DIM/2 ulp of a score,
    // and WGSL's exp one of 3 + 2·|score| ulp; sums over the sequence add √seqLen. Ten times their root, as for products.
    tolerance: 10 * Math.sqrt(seqLen + HEAD_DIM) * 2 ** -24,
    dispose() {
      qkv.dispose();
      d_o.dispose();
    },
  };
}

/** The q, k or v heads [batch, seq, heads, head_dim] of [batch, seq, 3·heads·head_dim]. */
function sliceOf({ data }: HostTensor, seqLen: number, index: number): HostTensor {
  const width = HEADS * HEAD_DIM;
  const slice = new Float32Array(BATCH * seqLen * width);
  for (let token = 0; token < BATCH * seqLen; token++) {
    const from = (3 * token + index) * width;
    slice.set(data.subarray(from, from + width), token * width);
  }
  return { shape: [BATCH, seqLen, HEADS, HEAD_DIM], data: slice };
}

/** Σ o·d_o. Its terms differ in sign: errors are relative to their root sum of squares, not to what is left of the sum. */
function dot(o: ArrayLike<number>, d_o: ArrayLike<number>): { data: number[]; scale: number } {
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < o.length; i++) {
    sum += o[i] * d_o[i];
    squares += (o[i] * d_o[i]) ** 2;
  }
  return { data: [sum], scale: Math.sqrt(squares) };
}
