import { Philox } from '@hrm-webgpu/core';
import { expect, it } from 'vitest';
import type { TensorData } from '../../src/formats/dtype.ts';
import { sumTensor } from '../../src/formats/tensor-sums.ts';

async function* pieces(...data: TensorData[]) {
  yield* data;
}

it('gives the same figures however a tensor is cut', async () => {
  const random = new Philox(1, 2);
  // A mean a thousand times the deviation: squares summed without care would lose six digits.
  const values = Float32Array.from({ length: 999 }, () => 1000 + random.uniform());
  const mean = values.reduce((sum, value) => sum + value, 0) / 999;
  const std = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 999);
  for (const cut of [0, 1, 500, 999]) {
    const sums = await sumTensor('F32', pieces(values.subarray(0, cut), values.subarray(cut)));
    expect(sums).toMatchObject({ count: 999, nan: 0, infinite: 0 });
    expect([sums.min, sums.max]).toEqual([Math.min(...values), Math.max(...values)]);
    expect(sums.mean).toBeCloseTo(mean, 9);
    expect(sums.std).toBeCloseTo(std, 9);
    expect(sums.sum).toBeCloseTo(999 * mean, 6);
  }
});

it('counts what is not finite and leaves it out of the rest', async () => {
  const odd = Float32Array.of(Number.NaN, 3, Number.NEGATIVE_INFINITY, 5, Number.POSITIVE_INFINITY);
  expect(await sumTensor('F32', pieces(odd))).toEqual({
    ...{ count: 5, nan: 1, infinite: 2, sum: 8, mean: 4, std: 1, min: 3, max: 5 },
  });
  expect(await sumTensor('F32', pieces(odd.subarray(0, 1)))).toEqual({
    ...{ count: 1, nan: 1, infinite: 0, sum: 0 },
    ...{ mean: Number.NaN, std: Number.NaN, min: Number.NaN, max: Number.NaN },
  });
});

it('reads every kind of element', async () => {
  const first = async (...[dtype, data]: Parameters<typeof sumOf>) => (await sumOf(dtype, data)).sum;
  const sumOf = (dtype: Parameters<typeof sumTensor>[0], data: TensorData) => sumTensor(dtype, pieces(data));
  expect(await first('BF16', Uint16Array.of(0x3f80, 0x4000))).toBe(3);
  expect(await first('F16', Uint16Array.of(0x3c00, 0x4000))).toBe(3);
  expect(await first('I64', BigInt64Array.of(2n ** 40n, -1n))).toBe(2 ** 40 - 1);
  expect(await first('F64', Float64Array.of(1e300, -1))).toBe(1e300);
  expect(await first('BOOL', Uint8Array.of(1, 0, 1))).toBe(2);
});
