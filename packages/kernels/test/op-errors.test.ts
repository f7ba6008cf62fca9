import { type Device, type DType, openDevice, type Shape, Tensor, UserError } from '@hrm-webgpu/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  AdamAtan2,
  add,
  addBias,
  attention,
  bceWithLogits,
  cat,
  crossEntropy,
  crossEntropyRows,
  fill,
  inputEmbedding,
  linear,
  makeRopeTables,
  mean,
  qHead,
  relu,
  residualRmsNorm,
  rope,
  rowMean,
  SGD,
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

const make = (shape: Shape, dtype: DType = 'f32') => Tensor.empty(device, shape, dtype);

/** An embedding that is right but for `change`: batch 2, sequence 3, P = 2, D = 4, V = 7. */
const embed = (change: Partial<Parameters<typeof inputEmbedding>[0]>) =>
  inputEmbedding({
    inputs: make([2, 3], 'i32'),
    tokens: make([7, 4]),
    ...change,
  });

const parameter = () => Tensor.empty(device, [2], 'f32', true);

const cases: [message: string, action: () => unknown][] = [
  ['addBias: the bias has shape [3], expected [2]', () => addBias(make([3, 2]), make([3]))],
  ['addBias: the bias has shape [1, 2], expected [2]', () => addBias(make([3, 2]), make([1, 2]))],
  ['addBias: the input is i32, expected f32', () => addBias(make([3, 2], 'i32'), make([2]))],
  ['relu: the operand is i32, expected f32', () => relu(make([2], 'i32'))],
  ['softmax: the operand is u32, expected f32', () => softmax(make([2], 'u32'))],
  ['mean: the operand is i32, expected f32', () => mean(make([2], 'i32'))],
  ['crossEntropy: the array of labels is f32, expected i32', () => crossEntropy(make([3, 2]), make([3]))],
  [
    'crossEntropy: the array of labels has shape [2], expected [3]',
    () => crossEntropy(make([3, 2]), make([2], 'i32')),
  ],
  [
    'crossEntropy: the array of logits has shape [1, 3, 2], expected [?, ?]',
    () => crossEntropy(make([1, 3, 2]), make([3], 'i32')),
  ],
  [
    'slice: rows 2 to 5 of [4, 3], expected whole numbers with 0 ≤ start < end ≤ 4',
    () => slice(make([4, 3]), 2, 5),
  ],
  ['slice: rows 2 to 2 of [4, 3], expected', () => slice(make([4, 3]), 2, 2)],
  ['slice: rows -1 to 4 of [4], expected', () => slice(make([4]), -1)],
  ['slice: rows 0.5 to 4 of [4], expected', () => slice(make([4]), 0.5)],
  ['cat: expected an array of at least one tensor', () => cat([])],
  ['cat: expected an array of at least one tensor', () => cat(make([2]) as never)],
  ['cat: got [2, 4], f32, after [2, 3], f32; expected', () => cat([make([2, 3]), make([2, 4])])],
  ['cat: got [6], f32, after [2, 3], f32; expected', () => cat([make([2, 3]), make([6])])],
  ['cat: got [2], i32, after [2], f32; expected', () => cat([make([2]), make([2], 'i32')])],
  ['SGD: expected an array of parameters', () => new SGD([], { lr: 1 })],
  ['SGD: expected an array of parameters', () => new SGD(parameter() as never, { lr: 1 })],
  ['is no parameter: expected f32 tensors made with requiresGrad', () => new SGD([make([2])], { lr: 1 })],
  ['SGD: lr is undefined, expected a number from 0 up', () => new SGD([parameter()], {} as never)],
  [
    'SGD: momentum is 1, expected a number from 0 to below 1',
    () => new SGD([parameter()], { lr: 1, momentum: 1 }),
  ],
  ['AdamAtan2: lr is -1, expected a number from 0 up', () => new AdamAtan2([parameter()], { lr: -1 })],
  [
    'AdamAtan2: the second of betas is 1, expected a number from 0 to below 1',
    () => new AdamAtan2([parameter()], { lr: 1, betas: [0.9, 1] }),
  ],
  ['add: the second operand has shape [2, 3], expected [3, 2]', () => add(make([3, 2]), make([2, 3]))],
  ['add: the second operand has shape [6], expected [3, 2]', () => add(make([3, 2]), make([6]))],
  ['add: the first operand is i32, expected f32', () => add(make([2], 'i32'), make([2], 'i32'))],
  ['add: the second operand is u32, expected f32', () => add(make([2]), make([2], 'u32'))],
  ['fill: the tensor is u32, expected f32', () => fill(make([2], 'u32'), 1)],
  ['swiglu: the operand has shape [2, 3], expected an even last extent', () => swiglu(make([2, 3]))],
  ['swiglu: the operand is i32, expected f32', () => swiglu(make([2, 4], 'i32'))],
  [
    'residualRmsNorm: the second operand has shape [2, 1], expected [2, 2]',
    () => residualRmsNorm(make([2, 2]), make([2, 1]), 1e-5),
  ],
  ['linear: the weight has shape [5, 3], expected [?, 4]', () => linear(make([2, 4]), make([5, 3]))],
  ['linear: the weight has shape [5, 4, 1], expected [?, 4]', () => linear(make([2, 4]), make([5, 4, 1]))],
  ['linear: the weight is i32, expected f32', () => linear(make([2, 4]), make([5, 4], 'i32'))],
  ['linear: the input is i32, expected f32', () => linear(make([2, 4], 'i32'), make([5, 4]))],
  [
    'linear: the transposed weight has shape [5, 4], expected [4, 5]',
    () => linear(make([2, 4]), make([5, 4]), make([5, 4])),
  ],
  ['transpose: the target has shape [2, 3], expected [3, 2]', () => transpose(make([2, 3]), make([2, 3]))],
  ['attention: qkv has shape [6, 18], expected [?, ?, ?]', () => attention(make([6, 18]), 3)],
  [
    'attention: 18 numbers a token are not 3 × 4 heads of an even head_dim',
    () => attention(make([1, 2, 18]), 4),
  ],
  [
    'attention: 9 numbers a token are not 3 × 3 heads of an even head_dim',
    () => attention(make([1, 2, 9]), 3),
  ],
  [
    'attention: 780 numbers a token are 3 × 2 heads of a head_dim of 130, which may be at most 128: use more heads',
    () => attention(make([1, 2, 780]), 2),
  ],
  ['attention: qkv is u32, expected f32', () => attention(make([1, 2, 12], 'u32'), 2)],
  [
    'rope: the table of cosines has shape [5, 2], expected [6, 2]',
    () => rope(make([2, 6, 24]), makeRopeTables(device, 5, 4, 1e4), 2),
  ],
  [
    'rope: the table of sines has shape [5, 2], expected [6, 2]',
    () => rope(make([2, 6, 24]), { cosines: make([6, 2]), sines: make([5, 2]) }, 2),
  ],
  [
    'rope: qkv has shape [6, 24], expected [?, ?, ?]',
    () => rope(make([6, 24]), makeRopeTables(device, 6, 4, 1e4), 2),
  ],
  ['inputEmbedding: the array of inputs is f32, expected i32', () => embed({ inputs: make([2, 3]) })],
  [
    'inputEmbedding: the array of puzzle rows has shape [9, 6], expected [2, ?]',
    () => embed({ puzzle: { rows: make([9, 6]), prefix: 2, localRows: make([2, 6]) } }),
  ],
  [
    'inputEmbedding: the table of positions has shape [4, 4], expected [3, 4]',
    () => embed({ positions: make([4, 4]) }),
  ],
  [
    'inputEmbedding: localRows has shape [3, 6], expected [2, 6]',
    () => embed({ puzzle: { rows: make([2, 6]), prefix: 2, localRows: make([3, 6]) } }),
  ],
  [
    'inputEmbedding: puzzle rows of 6 numbers do not fit 1 positions of 4',
    () => embed({ puzzle: { rows: make([2, 6]), prefix: 1, localRows: make([2, 6]) } }),
  ],
  [
    'qHead: the weight has shape [2, 3], expected [2, 4]',
    () => qHead(make([1, 5, 4]), make([2, 3]), make([2])),
  ],
  ['qHead: the bias has shape [1], expected [2]', () => qHead(make([1, 5, 4]), make([2, 4]), make([1]))],
  [
    'qHead: the state has shape [5, 4], expected [?, ?, ?]',
    () => qHead(make([5, 4]), make([2, 4]), make([2])),
  ],
  [
    'crossEntropyRows: the array of logits has shape [3, 5, 7], expected [2, ?, ?]',
    () => crossEntropyRows(make([3, 5, 7]), make([2, 5], 'i32'), 'softmax_cross_entropy'),
  ],
  [
    'crossEntropyRows: the array of labels is f32, expected i32',
    () => crossEntropyRows(make([2, 5, 7]), make([2, 5]), 'softmax_cross_entropy'),
  ],
  [
    'crossEntropyRows: 6 labels a row for logits of 5 positions',
    () => crossEntropyRows(make([2, 5, 7]), make([2, 6], 'i32'), 'softmax_cross_entropy'),
  ],
  [
    'bceWithLogits: the second operand has shape [3], expected [2]',
    () => bceWithLogits(make([2]), make([3])),
  ],
];

// What JavaScript lets pass.
const loose: [message: string, action: () => unknown][] = [
  ['add: the second operand is Number, expected a Tensor', () => add(make([2]), 1 as never)],
  ['add: the second operand is undefined, expected a Tensor', () => add(make([2]), undefined as never)],
  ['add: the first operand is Promise, expected a Tensor', () => add(Promise.resolve() as never, make([2]))],
  ['relu: the operand is Array, expected a Tensor', () => relu([1, 2] as never)],
  ['relu: the operand is null, expected a Tensor', () => relu(null as never)],
  ['softmax: the operand is String, expected a Tensor', () => softmax('a' as never)],
  ['mean: the operand is undefined, expected a Tensor', () => mean(undefined as never)],
  ['rowMean: the operand is Number, expected a Tensor', () => rowMean(1 as never)],
  ['addBias: the bias is Number, expected a Tensor', () => addBias(make([2]), 1 as never)],
  ['swiglu: the operand is Object, expected a Tensor', () => swiglu({} as never)],
  ['linear: the weight is Number, expected a Tensor', () => linear(make([2, 4]), 3 as never)],
  ['linear: the input is undefined, expected a Tensor', () => linear(undefined as never, make([2, 4]))],
  ['transpose: the operand has shape [3], expected [?, ?]', () => transpose(make([3]))],
  ['attention: qkv is undefined, expected a Tensor', () => attention(undefined as never, 2)],
  ['rope: qkv is undefined, expected a Tensor', () => rope(undefined as never, undefined as never, 2)],
  ['qHead: the state is undefined, expected a Tensor', () => qHead(undefined as never, make([2]), make([2]))],
  ['crossEntropy: the array of labels is Array', () => crossEntropy(make([2, 3]), [0, 1] as never)],
  ['crossEntropy: the array of logits is undefined', () => crossEntropy(undefined as never, make([3]))],
  ['slice: the operand is Array, expected a Tensor', () => slice([1] as never, 0)],
  ['cat: tensor 1 is Number, expected a Tensor', () => cat([make([2]), 1 as never])],
  ["fill: parameter 'value' must be a number, got a", () => fill(make([2]), 'a' as never)],
  [
    "residual_rms_norm: parameter 'eps' must be a number, got undefined",
    () => residualRmsNorm(make([2, 2]), make([2, 2]), undefined as never),
  ],
  ['SGD: lr is undefined, expected a number from 0 up', () => new SGD([parameter()], undefined as never)],
  [
    'SGD: step takes what backward gave',
    () => {
      using sgd = new SGD([parameter()], { lr: 1 });
      sgd.step(undefined as never);
    },
  ],
  [
    'AdamAtan2: the first of betas is undefined, expected a number from 0 to below 1',
    () => new AdamAtan2([parameter()], { lr: 1, betas: 0.9 as never }),
  ],
];

it.each([...cases, ...loose])('%s', (message, action) => {
  device.scope(() => {
    expect(action).toThrow(UserError);
    expect(action).toThrow(message);
  });
  expect(device.tensors.size).toBe(0);
});

it('and the embedding is right without a change', () => {
  device.scope(() => expect(embed({}).shape).toEqual([2, 3, 4]));
});
