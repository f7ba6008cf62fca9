/** The matmul kernels add in the same order, so that the choice among them does not change results. */
import { type Device, openDevice, Philox, Tensor } from '@hrm-webgpu/core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { uniformArray } from '../src/checks/check.ts';
import { type MatmulParams, matmul } from '../src/defs/matmul.ts';
import { matmulSubgroup } from '../src/defs/matmul_subgroup.ts';
import { matmulWorkgroup } from '../src/defs/matmul_workgroup.ts';
import { hasSubgroups, launch } from '../src/kernel.ts';

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());

const cases: MatmulParams[] = [
  { m: 130, n: 132, k: 500, a_row: 500, a_column: 1 },
  { m: 67, n: 70, k: 97, a_row: 97, a_column: 1 },
  { m: 68, n: 64, k: 301, a_row: 1, a_column: 68 },
];

it.each(cases)('matmul_workgroup and matmul_subgroup give the bits of matmul: %o', async (params) => {
  const { m, n, k } = params;
  const random = new Philox(1);
  const a = Tensor.from(device, uniformArray(random, m * k));
  const b = Tensor.from(device, uniformArray(random, k * n));
  const bits = async (run: (c: Tensor) => void) => {
    const c = Tensor.empty(device, [m, n]);
    run(c);
    const { buffer } = await c.readF32();
    c.dispose();
    return new Uint32Array(buffer, 0, m * n);
  };
  const expected = await bits((c) => launch(device, matmul, { a, b, c }, params));
  const workgroup = await bits((c) => launch(device, matmulWorkgroup, { a, b, c }, { ...params, splits: 1 }));
  expect(workgroup).toEqual(expected);
  if (hasSubgroups(device.adapter)) {
    const subgroup = await bits((c) => launch(device, matmulSubgroup, { a, b, c }, params));
    expect(subgroup).toEqual(expected);
  }
  a.dispose();
  b.dispose();
});
