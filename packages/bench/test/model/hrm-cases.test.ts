import { openDevice } from '@hrm-webgpu/core';
import { expect, it } from 'vitest';
import { firstCallSeconds, TINY_MODEL } from '../../src/model/hrm-cases.ts';

it('the first call includes the compilation of every pipeline', async () => {
  const device = await openDevice();
  try {
    const create = device.gpu.createComputePipeline.bind(device.gpu);
    const SLOW_MS = 20;
    let pipelines = 0;
    device.gpu.createComputePipeline = (descriptor) => {
      pipelines += 1;
      for (const end = performance.now() + SLOW_MS; performance.now() < end; );
      return create(descriptor);
    };
    const seconds = await firstCallSeconds(device, TINY_MODEL, 2);
    expect(pipelines).toBeGreaterThan(20);
    expect(1000 * seconds).toBeGreaterThan(SLOW_MS * pipelines);
  } finally {
    device.close();
  }
});
