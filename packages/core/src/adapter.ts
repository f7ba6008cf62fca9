import { openAdapter } from '#gpu';
import { Device } from './device.ts';
import { UserError } from './errors.ts';

/** What the engine uses when the adapter has it. */
const OPTIONAL_FEATURES: GPUFeatureName[] = ['timestamp-query', 'shader-f16', 'subgroups'];

/** Limits that are raised to what the adapter offers; the others keep WebGPU's defaults. */
const RAISED_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupStorageSize',
] as const;

/** Who the adapter is, as far as the platform tells. */
export interface AdapterDescription {
  vendor: string;
  architecture: string;
  device: string;
  description: string;
  /** `software` for adapters that run on the CPU: kernels have other defaults there. */
  class: 'software' | 'gpu';
  /** Fewest lanes of a subgroup; 0 without the feature `subgroups`. */
  subgroupMinSize: number;
}

export interface DeviceOptions {
  /** See {@link Device.submitMs}. */
  submitMs?: number;
}

/**
 * Opens the GPU of this machine, in Node (Dawn, from the optional peer `webgpu`) or in a browser.
 *
 * @throws UserError when there is no WebGPU or no adapter, or an option is wrong; the message says what to do
 */
export async function openDevice(options: DeviceOptions = {}): Promise<Device> {
  const { instance, adapter } = await openAdapter();
  const requiredLimits: Record<string, number> = {};
  for (const limit of RAISED_LIMITS) requiredLimits[limit] = adapter.limits[limit];
  const requiredFeatures = OPTIONAL_FEATURES.filter((feature) => adapter.features.has(feature));
  let gpu: GPUDevice;
  try {
    gpu = await adapter.requestDevice({ requiredFeatures, requiredLimits });
  } catch (cause) {
    throw new UserError(
      `The adapter '${adapter.info.description}' gave no device: ${(cause as Error).message}`,
      { cause },
    );
  }
  return new Device(gpu, describeAdapter(adapter.info, gpu), options, instance);
}

/** A {@link Device} around a `GPUDevice` that the caller made and goes on owning. */
export function wrapDevice(gpu: GPUDevice, options: DeviceOptions = {}): Device {
  return new Device(gpu, describeAdapter(gpu.adapterInfo, gpu), options);
}

function describeAdapter(info: GPUAdapterInfo, gpu: GPUDevice): AdapterDescription {
  const { vendor, architecture, device, description } = info;
  return {
    vendor,
    architecture,
    device,
    description,
    class: info.isFallbackAdapter ? 'software' : 'gpu',
    subgroupMinSize: gpu.features.has('subgroups') ? info.subgroupMinSize : 0,
  };
}
