import {
  type Device,
  type GradientRule,
  openDevice,
  Philox,
  type Shape,
  sizeOf,
  Tensor,
} from '@hrm-webgpu/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { uniformArray } from '../../src/checks/check.ts';
import { checkDeterminism, checkGradients } from '../../src/checks.ts';
import {
  add,
  addBias,
  attention,
  cat,
  crossEntropy,
  gradientRules,
  linear,
  mean,
  relu,
  residualRmsNorm,
  rowMean,
  slice,
  softmax,
  swiglu,
} from '../../src/index.ts';

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());
afterEach(() => {
  for (const tensor of [...device.tensors]) tensor.dispose();
});

let seed = 1;
const random = (...shape: number[]) =>
  Tensor.from(device, uniformArray(new Philox(seed++), sizeOf(shape as Shape)), shape);

describe('checkGradients', () => {
  const ops: [name: string, op: (...inputs: Tensor[]) => Tensor, inputs: () => Tensor[]][] = [
    ['add', add, () => [random(3, 5), random(3, 5)]],
    ['addBias', addBias, () => [random(3, 5), random(5)]],
    ['attention', (qkv) => attention(qkv, 2), () => [random(1, 5, 24)]],
    ['cat', (...all) => cat(all), () => [random(2, 3), random(1, 3), random(4, 3)]],
    ['crossEntropy', crossEntropy, () => [random(4, 5), Tensor.from(device, Int32Array.of(0, 4, -100, 2))]],
    ['linear', linear, () => [random(7, 13), random(11, 13)]],
    ['mean', mean, () => [random(3, 5)]],
    ['relu', relu, () => [random(9, 7)]],
    ['residualRmsNorm', (x, r) => residualRmsNorm(x, r, 1e-5), () => [random(3, 14), random(3, 14)]],
    ['reshape', (x) => softmax(x.reshape([5, 3])), () => [random(3, 5)]],
    ['rowMean', rowMean, () => [random(2, 3, 5)]],
    ['slice', (x) => slice(x, 1, 3), () => [random(4, 2, 3)]],
    ['softmax', softmax, () => [random(5, 7)]],
    ['swiglu', swiglu, () => [random(3, 8)]],
  ];

  it.each(ops)('finds %s right', async (_, op, inputs) => {
    const tensors = inputs();
    const before = await tensors[0].read();
    const results = await checkGradients(op, tensors);
    expect(results).toHaveLength(tensors.filter(({ dtype }) => dtype === 'f32').length);
    for (const { checked, undecided, margin } of results) {
      expect(checked).toBeGreaterThan(10 * undecided - 1);
      expect(margin).toBeLessThan(0.5);
    }
    expect(await tensors[0].read()).toEqual(before);
    expect(device.tensors.size).toBe(tensors.length); // frees what it made
  });

  /** The rules with another one for an op. */
  const withRule = (name: string, rule: (right: GradientRule) => GradientRule) => ({
    rules: { ...gradientRules, rules: { ...gradientRules.rules, [name]: rule(gradientRules.rules[name]) } },
  });

  it('finds a gradient that is 1.002 times too large, on whichever input', async () => {
    const scaled = withRule('linear', (right) => (dy, recorded) => {
      const [dx, dw] = right(dy, recorded) as [Tensor, Tensor];
      return [dx, add(dw, scaledBy(dw, 0.002))];
    });
    await expect(checkGradients(linear, [random(2, 3), random(2, 3)], scaled)).rejects.toThrow(
      /^checkGradients: input 1 \[2, 3\]: \d of 6 gradients wrong; worst at \[\d, \d\]: is .*, by differences .* × what is allowed\)$/,
    );
  });

  /** x·factor, by a matrix product. */
  function scaledBy(x: Tensor, factor: number): Tensor {
    const columns = x.shape[1];
    const diagonal = new Float32Array(columns * columns).map((_, i) =>
      i % (columns + 1) === 0 ? factor : 0,
    );
    return device.tape.noGrad(() => linear(x, Tensor.from(device, diagonal, [columns, columns])));
  }

  it('finds rows in the wrong order, a missing gradient and NaN', async () => {
    const swapped = withRule('slice', () => (dy, { attributes: { rows } }) => [
      cat([dy, Tensor.from(device, new Float32Array(dy.size), [rows - dy.shape[0], dy.shape[1]])]),
    ]);
    const op = (x: Tensor) => slice(x, 2, 4);
    await expect(checkGradients(op, [random(4, 3)], swapped)).rejects.toThrow('12 of 12 gradients wrong');
    const missing = withRule('add', () => (dy) => [dy.detach()]);
    await expect(checkGradients(add, [random(2), random(2)], missing)).rejects.toThrow('input 1 (tensor [2]');
    const nan = withRule('relu', () => (dy) => [
      Tensor.from(device, new Float32Array(dy.size).fill(Number.NaN), dy.shape),
    ]);
    await expect(checkGradients(relu, [random(9)], nan)).rejects.toThrow('is NaN, by differences');
  });

  it('leaves out what is too near a kink, and says so where that is most', async () => {
    const some = Tensor.from(device, Float32Array.of(1, -1, 0.01, 2, -3));
    expect(await checkGradients(relu, [some])).toMatchObject([{ checked: 4, undecided: 1 }]);
    const kinks = Tensor.from(device, Float32Array.of(0.01, -0.02, 0.01, 2));
    await expect(checkGradients(relu, [kinks])).rejects.toThrow(
      'at 3 of 4 elements two differences disagree',
    );
  });

  it('draws samples of large inputs', async () => {
    const [result] = await checkGradients(relu, [random(40, 40)], { samples: 5 });
    expect(result.checked + result.undecided).toBe(5);
  });

  it('says what it expects', async () => {
    await expect(checkGradients(relu, random(2) as never)).rejects.toThrow('expected an op and an array');
    await expect(checkGradients((() => 1) as never, [random(2)])).rejects.toThrow(
      'the op gave no f32 tensor',
    );
  });
});

describe('checkDeterminism', () => {
  it('passes what gives the same bits', async () => {
    const [x, w] = [random(17, 33), random(9, 33)];
    await checkDeterminism(device, () => ({ y: softmax(linear(x, w)), m: mean(x) }), 3);
    await checkDeterminism(device, () => [add(x, x)]);
    expect(device.tensors.size).toBe(2);
  });

  it('names the element that differs, be it by its sign alone', async () => {
    let run = 0;
    const body = () => ({ y: Tensor.from(device, Float32Array.of(1, 2, 3, run++ === 0 ? 0 : -0), [2, 2]) });
    await expect(checkDeterminism(device, body)).rejects.toThrow(
      'checkDeterminism: y: run 2 differs from the first in 1 of 4 elements; at [1, 1] it has 0 (0x80000000) instead of 0 (0x00000000)',
    );
  });

  it('finds contents that nothing wrote', async () => {
    const junk = () => Tensor.from(device, new Float32Array(1000).fill(7));
    const body = () => {
      const y = Tensor.empty(device, [1000]);
      junk();
      return y;
    };
    await expect(checkDeterminism(device, body)).rejects.toThrow('result: run 2 differs');
  });

  it('says what it expects', async () => {
    await expect(checkDeterminism(undefined as never, () => [])).rejects.toThrow('expected a device and a');
    await expect(checkDeterminism(device, () => [])).rejects.toThrow('the body gave no tensors');
    await expect(checkDeterminism(device, () => [], 1)).rejects.toThrow('1 runs, expected at least 2');
  });
});
