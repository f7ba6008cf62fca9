import { type Device, openDevice } from '@hrm-webgpu/core';
import { readShaders } from 'hrm-webgpu/node';

/**
 * The adapter, with the kernels of a folder in the place of the engine's own where one is given.
 *
 * @throws UserError where there is no adapter, or the folder's shaders cannot stand in for kernels
 */
export async function openBenchDevice(shaders: string | undefined): Promise<Device> {
  return openDevice({ shaders: shaders === undefined ? undefined : await readShaders(shaders) });
}
