import { type Device, Philox, Tensor } from '@hrm-webgpu/core';
import type { HostTensor } from './tensor-json.ts';

/** Numbers in [−1, 1) from a seeded stream. */
export function randomTensor(shape: readonly number[], stream: number): HostTensor {
  const random = new Philox(1, stream);
  const length = shape.reduce((product, extent) => product * extent, 1);
  return { shape, data: Float32Array.from({ length }, () => 2 * random.uniform() - 1) };
}

/** The same on our device. */
export function upload(device: Device, { data, shape }: HostTensor, requiresGrad = false): Tensor {
  return Tensor.from(device, data, shape, requiresGrad);
}
