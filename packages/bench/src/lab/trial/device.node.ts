/** The device that edited kernels run on: as the library opens it, or a poorer one. */
import {
  type Device,
  OPTIONAL_FEATURES,
  openDevice,
  RAISED_LIMITS,
  UserError,
  wrapDevice,
} from '@hrm-webgpu/core';
import { create } from 'webgpu';

/** Instances must outlive their devices. */
const instances: GPU[] = [];

/**
 * Opens a device. The environment variable `LAB_DEVICE` is `bare` for WebGPU's default limits and no features, or `no NAME` for all
 * but one feature.
 *
 * @throws UserError when there is no adapter
 */
export async function openLabDevice(): Promise<Device> {
  const { LAB_DEVICE: kind } = process.env;
  if (!kind) return openDevice();
  const instance = create([]);
  instances.push(instance);
  const adapter = await instance.requestAdapter();
  if (!adapter) throw new UserError('there is no adapter');
  if (kind === 'bare') return wrapDevice(await adapter.requestDevice());
  const { features, limits } = adapter;
  const requiredFeatures = OPTIONAL_FEATURES.filter((one) => features.has(one) && kind !== `no ${one}`);
  const requiredLimits = Object.fromEntries(RAISED_LIMITS.map((limit) => [limit, limits[limit]]));
  return wrapDevice(await adapter.requestDevice({ requiredFeatures, requiredLimits }));
}
