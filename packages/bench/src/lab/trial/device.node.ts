/** The device that edited kernels run on: as the library opens it, or as the environment says. */
import { type Device, openDevice, UserError, wrapDevice } from '@hrm-webgpu/core';
import { create } from 'webgpu';

/** Instances must outlive their devices. */
const instances: GPU[] = [];

/**
 * Opens a device. `LAB_ADAPTER` is part of an adapter's name; `LAB_DEVICE` is `bare` for WebGPU's default limits and no features,
 * or `no NAME` for all but one feature.
 *
 * @throws UserError when there is no such adapter
 */
export async function openLabDevice(): Promise<Device> {
  const { LAB_ADAPTER: name, LAB_DEVICE: kind = '' } = process.env;
  if (!name && !kind) return openDevice();
  const instance = create(name ? [`adapter=${name}`] : []);
  instances.push(instance);
  const adapter = await instance.requestAdapter().catch((error) => {
    const names = [...String(error).matchAll(/name: '([^']+)'/g)].map(([, one]) => one);
    throw new UserError(`there is no adapter whose name has '${name}' in it; there is ${names.join(', ')}`);
  });
  if (!adapter) throw new UserError('there is no adapter');
  if (kind === 'bare') return wrapDevice(await adapter.requestDevice());
  const wanted: GPUFeatureName[] = ['subgroups', 'shader-f16', 'timestamp-query'];
  const requiredFeatures = wanted.filter((one) => adapter.features.has(one) && kind !== `no ${one}`);
  const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
  const gpu = await adapter.requestDevice({
    requiredFeatures,
    requiredLimits: { maxStorageBufferBindingSize, maxBufferSize },
  });
  return wrapDevice(gpu);
}
