/** Kernels against float64 in a browser: some of each kernel's pipelines, since SwiftShader compiles them slowly. */
import { type Device, openDevice } from '@hrm-webgpu/core';
import { checks } from '@hrm-webgpu/kernels/checks';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkKernel } from '../portability/kernels.ts';

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());

it.for(Object.values(checks).map((check) => ({ name: check.kernel.name, check })))(
  '$name',
  async ({ check }, context) => {
    const { failures, skipped } = await checkKernel(device, check, { index: 0, of: 8 });
    if (skipped) context.skip(skipped);
    expect(failures).toEqual([]);
  },
);
