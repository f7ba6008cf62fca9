import { setTimeout as delay } from 'node:timers/promises';
import { openDevice } from '@hrm-webgpu/core';
import { expect, it } from 'vitest';
import { firstCallSeconds, TINY_MODEL } from '../../src/model/hrm-cases.ts';

it('the first call includes the compilation of every pipeline', async () => {
  const device = await openDevice();
  try {
    const create = device.gpu.createComputePipelineAsync.bind(device.gpu);
    const SLOW_MS = 2500; // longer than all the rest
    let pipelines = 0;
    let compiled = 0;
    device.gpu.createComputePipelineAsync = async (descriptor) => {
      pipelines += 1;
      await delay(SLOW_MS);
      const pipeline = await create(descriptor);
      compiled += 1;
      return pipeline;
    };
    const seconds = await firstCallSeconds(device, TINY_MODEL, 2);
    expect(pipelines).toBeGreaterThan(20);
    expect(compiled).toBe(pipelines);
    expect(1000 * seconds).toBeGreaterThan(SLOW_MS);
  } finally {
    device.close();
  }
});
