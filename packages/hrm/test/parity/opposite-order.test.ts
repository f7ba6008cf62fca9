import { type Device, openDevice, Philox, Tensor } from '@hrm-webgpu/core';
import { type MatmulWorkgroupParams, multiply } from '@hrm-webgpu/kernels';
import { matmulReference } from '@hrm-webgpu/kernels/defs/matmul';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { oppositeOrder, ownOrder } from '../../src/parity/opposite-order.ts';

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());

const [m, n, k] = [9, 12, 70];

it.each([
  ['x·Wᵀ', { m, n, k, a_row: k, a_column: 1 }],
  ['dyᵀ·x', { m, n, k, a_row: 1, a_column: m }],
])('%s with its terms added from the last is the same to rounding, but not in bits', async (_, params) => {
  const random = new Philox(5);
  const draw = (count: number) => Float32Array.from({ length: count }, () => 2 * random.uniform() - 1);
  const [x, y] = [draw(m * k), draw(k * n)];
  const [a, b] = [Tensor.from(device, x), Tensor.from(device, y)];
  const product = async (order: typeof ownOrder) => {
    const c = Tensor.empty(device, [m, n]);
    order(device, () => multiply(a, b, c, params as MatmulWorkgroupParams));
    const values = await c.readF32();
    c.dispose();
    return values;
  };
  const [own, opposite] = [await product(ownOrder), await product(oppositeOrder)];
  const exact = matmulReference(x, y, params);
  for (const values of [own, opposite]) {
    const errors = values.map((value, i) => Math.abs(value - exact[i]));
    expect(Math.max(...errors)).toBeLessThan(1e-5);
  }
  const differing = own.filter((value, i) => value !== opposite[i]).length;
  expect(differing).toBeGreaterThan((m * n) / 4);
  expect(await product(ownOrder)).toEqual(own); // it lasts as long as its body
  a.dispose();
  b.dispose();
  expect(device.tensors.size).toBe(0);
});
