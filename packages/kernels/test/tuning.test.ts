import { type Device, openDevice, type ParamValues, Philox, Tensor } from '@hrm-webgpu/core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type KernelCheck, uniformArray } from '../src/check.ts';
import { matmulReference } from '../src/defs/matmul.ts';
import { linear, residualRmsNorm } from '../src/index.ts';
import { type Operation, observeOperations, settingsOf, tuningKey } from '../src/operation.ts';
import { matmulOperation, multiply } from '../src/ops/matmul.ts';
import { tune } from '../src/tuner.ts';

const modules = import.meta.glob<{ check: KernelCheck<ParamValues> }>('../src/defs/*.ts', { eager: true });
const checkOf = async (kernel: string) => modules[`../src/defs/${kernel}.ts`].check;

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());
afterEach(() => {
  device.tuning.clear();
  expect(device.tensors.size).toBe(0);
});

const shape = { m: 37, n: 20, k: 210, a_row: 210, a_column: 1 };

/** The product of random matrices in the way that the device's record says. */
async function product(): Promise<{ c: Float32Array; reference: Float64Array }> {
  const random = new Philox(3);
  const [a, b] = [shape.m * shape.k, shape.k * shape.n].map((size) => uniformArray(random, size));
  const tensors = [a, b].map((data) => Tensor.from(device, data));
  const c = Tensor.empty(device, [shape.m, shape.n]);
  multiply(tensors[0], tensors[1], c, shape);
  const result = await c.readF32();
  for (const tensor of [...tensors, c]) tensor.dispose();
  return { c: result, reference: matmulReference(a, b, shape) };
}

describe('a tuning record', () => {
  it('decides how operations are done, and every way is right', async () => {
    const { c: standard } = await product();
    for (const splits of [1, 2, 3]) {
      const choice = { kernel: 'matmul_workgroup', settings: { splits, TILE_K: 8 } };
      device.tuning.set(tuningKey('matmul', shape), choice);
      const { dispatchCount } = device.stream;
      const { c, reference } = await product();
      expect(device.stream.dispatchCount - dispatchCount).toBe(splits > 1 ? 2 : 1);
      c.forEach((value, i) => {
        expect(Math.abs(value - reference[i])).toBeLessThan(1e-5 * Math.sqrt(shape.k));
      });
      if (splits === 1) expect(c).toEqual(standard); // all kernels sum in the same order
    }
  });

  it('is refused when it names a kernel of another version', async () => {
    const operation = { ...matmulOperation, run: undefined } as Operation<ParamValues>;
    const { runChoice } = await import('../src/operation.ts');
    expect(() => runChoice(device, operation, { kernel: 'matmul_of_old', settings: {} }, {}, shape)).toThrow(
      "matmul: there is no kernel 'matmul_of_old'",
    );
  });
});

describe('observing', () => {
  it('lists each operation and shape once, also of what is only recorded', () => {
    const x = Tensor.from(device, new Float32Array(6 * 8), [6, 8]);
    const w = Tensor.from(device, new Float32Array(8 * 8), [8, 8]);
    const uses = observeOperations(device, () => {
      device
        .record(() => {
          const y = linear(x, w);
          return residualRmsNorm(linear(y, w), y, 1e-5);
        })
        .dispose();
    });
    expect([...uses.keys()]).toEqual([
      'matmul m=6 n=8 k=8 a_row=8 a_column=1',
      'residual_rms_norm rows=6 columns=8 eps=0.00001',
    ]);
    x.dispose();
    w.dispose();
  });
});

describe('tune', () => {
  const use = {
    operation: matmulOperation as unknown as Operation<ParamValues>,
    params: { m: 40, n: 24, k: 96, a_row: 96, a_column: 1 },
  };

  it('tries other kernels and settings, checks them, and names one of them', async () => {
    const result = await tune(device, use, checkOf);
    expect(result.key).toBe('matmul m=40 n=24 k=96 a_row=96 a_column=1');
    expect(result.tried).toBeGreaterThan(2);
    expect(result.ms).toBeLessThanOrEqual(result.standardMs * 3); // noise; the choice itself is not the test's
    const kernel = matmulOperation.kernels.find(({ name }) => name === result.choice.kernel);
    expect(kernel).toBeDefined();
    const settings = settingsOf(use.operation, use.operation.kernels[0], use.params);
    expect(Object.keys(settings)).not.toHaveLength(0);
  });

  it('never chooses what computes something else', async () => {
    // A second kernel that is faster, since it does nothing but fill.
    const { fill } = await import('../src/defs/fill.ts');
    const { launch } = await import('../src/kernel.ts');
    const fake = { ...fill, name: 'fill' };
    const operation: Operation<ParamValues> = {
      ...use.operation,
      kernels: [...use.operation.kernels, fake as unknown as Operation<ParamValues>['kernels'][number]],
      run(target, choice, tensors, params) {
        if (choice.kernel !== 'fill') return matmulOperation.run?.(target, choice, tensors, params as never);
        launch(target, fill, { y: tensors.c }, { length: tensors.c.size, value: 0 });
      },
    };
    const result = await tune(device, { ...use, operation }, checkOf);
    expect(result.choice.kernel).not.toBe('fill');
    expect(result.rejected.some((text) => text.includes('"fill"') && text.includes('expected'))).toBe(true);
  });
});
