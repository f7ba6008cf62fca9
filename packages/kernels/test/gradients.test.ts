/**
 * Every differentiable op: the gradient of L = Σ w·f(x), w fixed and random, for every element of every input,
 * against central differences of the op's float64 reference.
 */
import { backward, type Device, openDevice, Philox, type Shape, sizeOf, Tensor } from '@hrm-webgpu/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UNIT_ROUNDOFF, uniformArray } from '../src/checks/check.ts';
import { attentionReference } from '../src/defs/attention.ts';
import { bceReference } from '../src/defs/bce_logits.ts';
import { IGNORED_LABEL, type LossType, tokenLossReference } from '../src/defs/cross_entropy.ts';
import { inputEmbeddingReference } from '../src/defs/input_embedding.ts';
import { matmulReference } from '../src/defs/matmul.ts';
import { qHeadReference } from '../src/defs/q_head.ts';
import { reluReference } from '../src/defs/relu.ts';
import { ropeReference } from '../src/defs/rope.ts';
import { softmaxReference } from '../src/defs/softmax.ts';
import { swigluReference } from '../src/defs/swiglu.ts';
import {
  add,
  addBias,
  attention,
  bceWithLogits,
  cat,
  crossEntropy,
  crossEntropyRows,
  gradientRules,
  inputEmbedding,
  linear,
  mean,
  qHead,
  relu,
  residualRmsNorm,
  rope,
  rowMean,
  slice,
  softmax,
  swiglu,
  transpose,
} from '../src/index.ts';

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());

type Tensors = Record<string, Tensor>;
type Arrays = Record<string, Float64Array>;

interface Case {
  name: string;
  /** Differentiable inputs and what they hold. */
  inputs: Record<string, { shape: Shape; data?: Float32Array }>;
  run(inputs: Tensors): Tensor;
  reference(inputs: Arrays): Float64Array;
  /** Allowed error in roundoffs, relative to the largest |gradient| of an input; its reason stands beside it. */
  roundoffs: number;
}

/** Sums like w·f(x) and gradients of unit size: the truncation error ~h² and the roundoff 2⁻⁵³/h are near 1e-10. */
const STEP = 1e-5;

function numericGradients({ inputs, reference }: Case, arrays: Arrays, w: Float32Array): Arrays {
  const loss = () => reference(arrays).reduce((sum, value, i) => sum + w[i] * value, 0);
  return Object.fromEntries(
    Object.keys(inputs).map((name) => {
      const x = arrays[name];
      const gradient = x.map((value, i) => {
        x[i] = value + STEP;
        const above = loss();
        x[i] = value - STEP;
        const below = loss();
        x[i] = value;
        return (above - below) / (2 * STEP);
      });
      return [name, gradient];
    }),
  );
}

async function gpuGradients({ inputs, run }: Case, data: Record<string, Float32Array>, random: Philox) {
  const tensors: Tensors = {};
  for (const name of Object.keys(inputs)) {
    tensors[name] = Tensor.from(device, data[name], inputs[name].shape, true);
  }
  const { w, gradients } = device.scope(() => {
    const output = run(tensors);
    const w = uniformArray(random, output.size);
    const root = { of: output, gradient: Tensor.from(device, w, output.shape) };
    return { w, gradients: backward(device, [root], gradientRules) };
  });
  const found: Record<string, Float32Array> = {};
  for (const [name, tensor] of Object.entries(tensors)) {
    const gradient = gradients.get(tensor);
    if (!gradient) throw new Error(`no gradient for ${name}`);
    expect(gradient.shape).toEqual(tensor.shape);
    found[name] = await gradient.readF32();
  }
  for (const tensor of [...Object.values(tensors), ...gradients.values()]) tensor.dispose();
  return { w, found };
}

// ---- the ops -------------------------------------------------------------------------------------------------

function rmsNormReference({ x, r }: Arrays, columns: number, eps: number): Float64Array {
  const y = x.map((value, i) => value + r[i]);
  for (let first = 0; first < y.length; first += columns) {
    const row = y.subarray(first, first + columns);
    const inverse = 1 / Math.sqrt(row.reduce((sum, v) => sum + v * v, 0) / columns + eps);
    for (let i = 0; i < columns; i++) row[i] *= inverse;
  }
  return y;
}

/** Rows of which the last are so small that eps decides. */
function rowsOfManySizes(rows: number, columns: number, seed: number): Float32Array {
  const scale = (i: number) => [1, 3, 1e-3][Math.floor(i / columns) % 3];
  return uniformArray(new Philox(seed), rows * columns).map((value, i) => value * scale(i));
}

const linearReference = ({ x, weight }: Arrays, m: number, n: number, k: number) => {
  const b = Float64Array.from({ length: k * n }, (_, i) => weight[(i % n) * k + Math.floor(i / n)]);
  return matmulReference(x, b, { m, n, k, a_row: k, a_column: 1 });
};

function linearCase(shape: Shape, out: number, keepsTransposed: boolean): Case {
  const inner = shape[shape.length - 1];
  return {
    name: `linear [${shape}] × [${out}, ${inner}]${keepsTransposed ? ', Wᵀ given' : ''}`,
    inputs: { x: { shape }, weight: { shape: [out, inner] } },
    run: ({ x, weight }) => linear(x, weight, keepsTransposed ? transpose(weight) : undefined),
    reference: (inputs) => linearReference(inputs, sizeOf(shape) / inner, out, inner),
    // Sums of up to 35 products of numbers below 1. Measured: at most 3.1.
    roundoffs: 12,
  };
}

const ropeShape = { tokens: 10, seq_len: 5, heads: 3, head_dim: 6, sign: 1 };
const ropeAngles = uniformArray(new Philox(8), 5 * 3).map((x) => 3 * x);

const attentionShape = { batch: 2, seq_len: 5, heads: 3, head_dim: 6 };

function embeddingCase(name: string, prefix: number, puzzleDim: number, learned: boolean): Case {
  const [batch, inputs_len, dim, vocab] = [3, 5, 6, 4];
  const random = new Philox(9);
  // Token 3 never occurs, others several times: its gradient is 0, theirs are sums.
  const inputs = Int32Array.from({ length: batch * inputs_len }, () => random.below(3));
  const scale = Math.sqrt(dim) * (learned ? Math.SQRT1_2 : 1);
  const params = { batch, inputs_len, prefix, dim, puzzle_dim: puzzleDim, scale };
  return {
    name: `inputEmbedding ${name}`,
    inputs: {
      tokens: { shape: [vocab, dim] },
      ...(prefix > 0 && { localRows: { shape: [batch, puzzleDim] } }),
      ...(learned && { positions: { shape: [prefix + inputs_len, dim] } }),
    },
    run: ({ tokens, localRows, positions }) =>
      inputEmbedding({
        inputs: Tensor.from(device, inputs, [batch, inputs_len]),
        tokens,
        puzzle: localRows && { rows: localRows, prefix, localRows },
        positions,
      }),
    reference: ({ tokens, localRows = [], positions = [] }: Record<string, ArrayLike<number>>) =>
      inputEmbeddingReference(inputs, tokens, localRows, positions, {
        ...params,
        position_scale: learned ? scale : 0,
      }),
    roundoffs: 4, // the scale's rounding, one product, sums of at most 6 terms. Measured: at most 1.4
  };
}

function crossEntropyCase(type: LossType): Case {
  const [batch, labels_len, prefix, vocab] = [3, 7, 2, 5];
  const positions = labels_len + prefix;
  const random = new Philox(4);
  // From flat to nearly certain. Row 1 is ignored as a whole, of the others every fourth label.
  const logits = uniformArray(random, batch * positions * vocab).map((x, i) => x * [0.5, 3, 9][i % 3]);
  const labels = Int32Array.from({ length: batch * labels_len }, (_, i) =>
    i % 4 === 3 || Math.floor(i / labels_len) === 1 ? IGNORED_LABEL : random.below(vocab),
  );
  return {
    name: `crossEntropyRows, ${type}`,
    inputs: { logits: { shape: [batch, positions, vocab], data: logits } },
    run: ({ logits }) =>
      crossEntropyRows(logits, Tensor.from(device, labels, [batch, labels_len]), type).loss,
    reference({ logits }) {
      return Float64Array.from({ length: batch }, (_, row) => {
        const rowLabels = labels.subarray(row * labels_len, (row + 1) * labels_len);
        const losses = [...rowLabels].map((label, i) => {
          const first = (row * positions + prefix + i) * vocab;
          return label === IGNORED_LABEL
            ? 0
            : tokenLossReference(logits.subarray(first, first + vocab), label, type);
        });
        const count = rowLabels.filter((label) => label !== IGNORED_LABEL).length;
        return losses.reduce((a, b) => a + b) / Math.max(count, 1);
      });
    },
    // exp 3 + 2·|x| ULP with |x| < 18, divisions 2.5 ULP. Measured: at most 1.4.
    roundoffs: 40,
  };
}

const classLabels = Int32Array.of(3, IGNORED_LABEL, 0, 1, 3);

const bceTargets = uniformArray(new Philox(6), 35).map((x) => Math.min(1, Math.max(0, 0.5 + x)));

const cases: Case[] = [
  {
    name: 'add',
    inputs: { a: { shape: [3, 7] }, b: { shape: [3, 7] } },
    run: ({ a, b }) => add(a, b),
    reference: ({ a, b }) => a.map((value, i) => value + b[i]),
    roundoffs: 1, // handed on as it is; only the numeric side errs
  },
  {
    name: 'add of a tensor to itself',
    inputs: { a: { shape: [5] } },
    run: ({ a }) => add(a, a),
    reference: ({ a }) => a.map((value) => 2 * value),
    roundoffs: 1,
  },
  {
    name: 'swiglu',
    inputs: { gateUp: { shape: [3, 5, 14], data: uniformArray(new Philox(2), 210).map((x) => 5 * x) } },
    run: ({ gateUp }) => swiglu(gateUp),
    reference: ({ gateUp }) => swigluReference(gateUp, { rows: 15, width: 7 }),
    // exp 3 + 2·5 ULP and a division in the sigmoid, and 1 − sigmoid times a gate below 5. Measured: at most 1.3.
    roundoffs: 40,
  },
  linearCase([5, 7, 13], 11, false),
  linearCase([5, 7, 13], 11, true),
  linearCase([1, 3], 1, false),
  linearCase([9, 12], 16, true),
  ...[1e-5, 0.1].map((eps) => ({
    name: `residualRmsNorm, eps ${eps}`,
    inputs: {
      x: { shape: [5, 14], data: rowsOfManySizes(5, 14, 3) },
      r: { shape: [5, 14], data: rowsOfManySizes(5, 14, 5) },
    },
    run: ({ x, r }: Tensors) => residualRmsNorm(x, r, eps),
    reference: (inputs: Arrays) => rmsNormReference(inputs, 14, eps),
    // A difference of terms as large as the gradient, each with a sum of 14 products, a root and divisions.
    // Measured: at most 5.9, with rows so small that 1/rms is some 300.
    roundoffs: 20,
  })),
  {
    name: 'rope',
    inputs: { qkv: { shape: [2, 5, 54] } },
    run: ({ qkv }) =>
      rope(
        qkv,
        {
          cosines: Tensor.from(device, ropeAngles.map(Math.cos), [5, 3]),
          sines: Tensor.from(device, ropeAngles.map(Math.sin), [5, 3]),
        },
        3,
      ),
    reference: ({ qkv }) => ropeReference(qkv, ropeAngles.map(Math.cos), ropeAngles.map(Math.sin), ropeShape),
    roundoffs: 4, // two products and their sum. Measured: at most 1.2
  },
  {
    name: 'attention',
    inputs: { qkv: { shape: [2, 5, 54], data: uniformArray(new Philox(7), 540).map((x) => 3 * x) } },
    run: ({ qkv }) => attention(qkv, 3),
    reference: ({ qkv }) => attentionReference(qkv, attentionShape).o,
    // Scores up to 9·√6: some 20 roundoffs, which go through exp as they are, and exp's own 3 + 2·|x| ULP.
    // Measured: at most 6.5.
    roundoffs: 60,
  },
  embeddingCase('of tokens alone', 0, 0, false),
  embeddingCase('with puzzle rows over a position and a half', 2, 9, false),
  embeddingCase('with learned positions', 0, 0, true),
  embeddingCase('with puzzle rows and learned positions', 2, 12, true),
  {
    name: 'qHead',
    inputs: { z: { shape: [5, 3, 7] }, weight: { shape: [2, 7] }, bias: { shape: [2] } },
    run: ({ z, weight, bias }) => qHead(z, weight, bias),
    reference: ({ z, weight, bias }) => qHeadReference(z, weight, bias, { batch: 5, seq_len: 3, dim: 7 }),
    roundoffs: 6, // sums of at most 7 products. Measured: at most 1.5
  },
  crossEntropyCase('softmax_cross_entropy'),
  crossEntropyCase('stablemax_cross_entropy'),
  {
    name: 'bceWithLogits',
    inputs: { x: { shape: [5, 7], data: uniformArray(new Philox(5), 35).map((x) => 9 * x) } },
    run: ({ x }) => bceWithLogits(x, Tensor.from(device, bceTargets, [5, 7])),
    reference: ({ x }) => x.map((value, i) => bceReference(value, bceTargets[i])),
    roundoffs: 24, // exp 3 + 2·|x| ULP where sigmoid matters, a division, a difference below 1. Measured: at most 1.6
  },
  {
    name: 'addBias',
    inputs: { x: { shape: [3, 5, 7] }, bias: { shape: [7] } },
    run: ({ x, bias }) => addBias(x, bias),
    reference: ({ x, bias }) => x.map((value, i) => value + bias[i % 7]),
    roundoffs: 4, // sums of 15 terms. Measured: at most 1.1
  },
  {
    name: 'relu',
    // None so near 0 that the numeric gradient crosses it.
    inputs: { x: { shape: [5, 9], data: uniformArray(new Philox(11), 45).map((x) => x + Math.sign(x) / 4) } },
    run: ({ x }) => relu(x),
    reference: ({ x }) => reluReference(x),
    roundoffs: 1, // handed on as it is; only the numeric side errs
  },
  {
    name: 'softmax',
    inputs: { x: { shape: [3, 2, 11], data: uniformArray(new Philox(12), 66).map((x) => 3 * x) } },
    run: ({ x }) => softmax(x),
    reference: ({ x }) => softmaxReference(x, { rows: 6, columns: 11 }),
    // exp 3 + 2·|x| ULP with |x| ≤ 6 in y's largest, a sum of 11 products, a difference. Measured: at most 2.8
    roundoffs: 12,
  },
  {
    name: 'mean',
    inputs: { x: { shape: [3, 5] } },
    run: ({ x }) => mean(x),
    reference: ({ x }) => Float64Array.of(x.reduce((a, b) => a + b) / 15),
    roundoffs: 6, // a division (WGSL: 2.5 ULP). Measured: at most 0.3
  },
  {
    name: 'rowMean',
    inputs: { x: { shape: [2, 3, 5] } },
    run: ({ x }) => rowMean(x),
    reference: ({ x }) =>
      Float64Array.from(
        { length: 6 },
        (_, row) => x.subarray(5 * row, 5 * row + 5).reduce((a, b) => a + b) / 5,
      ),
    roundoffs: 6, // a division (WGSL: 2.5 ULP). Measured: at most 0.5
  },
  {
    name: 'slice',
    inputs: { x: { shape: [5, 3, 2] } },
    run: ({ x }) => slice(x, 1, 4),
    reference: ({ x }) => x.slice(6, 24),
    roundoffs: 1, // handed on as it is; only the numeric side errs
  },
  {
    name: 'cat, of one tensor twice too',
    inputs: { a: { shape: [2, 3] }, b: { shape: [1, 3] } },
    run: ({ a, b }) => cat([a, b, a]),
    reference: ({ a, b }) => Float64Array.of(...a, ...b, ...a),
    roundoffs: 1, // a sum of two
  },
  {
    name: 'reshape',
    inputs: { x: { shape: [6, 2] } },
    run: ({ x }) => softmax(x.reshape([2, 2, 3])),
    reference: ({ x }) => softmaxReference(x, { rows: 4, columns: 3 }),
    roundoffs: 12, // as softmax. Measured: at most 1.8
  },
  {
    name: 'crossEntropy',
    inputs: { logits: { shape: [5, 4], data: uniformArray(new Philox(13), 20).map((x) => 3 * x) } },
    run: ({ logits }) => crossEntropy(logits, Tensor.from(device, classLabels)),
    reference({ logits }) {
      const losses = [0, 2, 3, 4].map((row) =>
        tokenLossReference(logits.subarray(4 * row, 4 * row + 4), classLabels[row], 'softmax_cross_entropy'),
      );
      return Float64Array.of(losses.reduce((a, b) => a + b) / 4); // one of the five is ignored
    },
    roundoffs: 40, // as crossEntropyRows. Measured: at most 0.8
  },
];

describe.each(cases)('$name', (testCase) => {
  it('has the gradient of its float64 reference', async () => {
    const random = new Philox(1);
    const data: Record<string, Float32Array> = {};
    for (const [name, { shape, data: given }] of Object.entries(testCase.inputs)) {
      data[name] = given ?? uniformArray(random, sizeOf(shape));
    }
    const { w, found } = await gpuGradients(testCase, data, random);
    const arrays = Object.fromEntries(Object.entries(data).map(([k, v]) => [k, Float64Array.from(v)]));
    const expected = numericGradients(testCase, arrays, w);
    for (const [name, gradient] of Object.entries(expected)) {
      const largest = gradient.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
      expect(largest).toBeGreaterThan(0.01); // otherwise the numeric gradient's error would show
      const worst = gradient.reduce((a, g, i) => Math.max(a, Math.abs(found[name][i] - g)), 0) / largest;
      expect(worst / UNIT_ROUNDOFF, `roundoffs of error in d ${name}`).toBeLessThanOrEqual(
        testCase.roundoffs,
      );
    }
    expect(device.tensors.size).toBe(0);
  });
});
