import { openAdapter } from '#gpu';
import { Device } from './device.ts';
import { UserError } from './errors.ts';
import { limitsOf } from './limits.ts';

/** What the engine uses when the adapter has it. */
export const OPTIONAL_FEATURES: readonly GPUFeatureName[] = ['timestamp-query', 'shader-f16', 'subgroups'];

/** Limits that are raised to what the adapter offers; the others keep WebGPU's defaults. */
export const RAISED_LIMITS = [
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
  /**
   * What kind of adapter to take it for; default: what it says of itself. In Node the environment variable
   * HRM_ADAPTER_CLASS does the same. With `gpu` a software adapter runs the kernels made for GPUs.
   */
  adapterClass?: AdapterDescription['class'];
  /** See {@link Device.submitMs}. */
  submitMs?: number;
  /** Shaders to run in the place of the engine's own, by name, e.g. `matmul`; the interface must be the same. */
  shaders?: ReadonlyMap<string, string>;
}

/**
 * Opens the GPU of this machine: in Node by Dawn (the optional peer `webgpu`), in Deno and browsers by their own WebGPU. In Node
 * the environment variable HRM_ADAPTER names one of several, by a part of its name.
 *
 * @throws UserError when there is no WebGPU or no adapter, or an option is wrong; the message says what to do
 */
export async function openDevice(options: DeviceOptions = {}): Promise<Device> {
  expectTexts(options.shaders);
  const { instance, adapter, adapterClass } = await openAdapter();
  const limits = limitsOf(adapter);
  const requiredLimits: Record<string, number> = {};
  for (const limit of RAISED_LIMITS) requiredLimits[limit] = limits[limit];
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
  const description = describeAdapter(adapter.info, gpu, options.adapterClass ?? adapterClass);
  return new Device(gpu, description, options, instance);
}

/** A {@link Device} around a `GPUDevice` that the caller made and goes on owning. */
export function wrapDevice(gpu: GPUDevice, options: DeviceOptions = {}): Device {
  expectTexts(options.shaders);
  return new Device(gpu, describeAdapter(gpu.adapterInfo, gpu, options.adapterClass), options);
}

/** An adapter's name, with its driver where the platform tells; where it tells nothing, what else tells adapters apart. */
export function adapterName({ adapter, limits }: Pick<Device, 'adapter' | 'limits'>): string {
  const { vendor, architecture, device, description, subgroupMinSize } = adapter;
  const name = description || [vendor, architecture, device].filter(Boolean).join(' ');
  if (name) return name;
  const platform = globalThis.navigator?.userAgent.split(' ').at(-1) ?? 'Node';
  return (
    `unnamed adapter (${platform}; buffers to ${Math.floor(limits.maxBufferSize / 2 ** 20)} MiB, workgroups of ` +
    `${limits.maxComputeInvocationsPerWorkgroup} with ${limits.maxComputeWorkgroupStorageSize} bytes, ` +
    `${subgroupMinSize > 0 ? `subgroups from ${subgroupMinSize}` : 'no subgroups'})`
  );
}

/** What software adapters call themselves, where the platform does not tell it by `isFallbackAdapter`. */
const SOFTWARE = /llvmpipe|lavapipe|swiftshader|\bwarp\b|basic render|software/i;

function describeAdapter(
  info: GPUAdapterInfo,
  gpu: GPUDevice,
  adapterClass?: AdapterDescription['class'],
): AdapterDescription {
  const { vendor, architecture, device, description } = info;
  const isSoftware =
    info.isFallbackAdapter || SOFTWARE.test([vendor, architecture, device, description].join(' '));
  return {
    vendor,
    architecture,
    device,
    description,
    class: checkedClass(adapterClass) ?? (isSoftware ? 'software' : 'gpu'),
    subgroupMinSize: gpu.features.has('subgroups') ? info.subgroupMinSize : 0,
  };
}

/** @throws UserError for shaders that are no texts by name */
function expectTexts(shaders: ReadonlyMap<string, unknown> | undefined): void {
  if (shaders === undefined) return;
  if (!(shaders instanceof Map && [...shaders.values()].every((text) => typeof text === 'string')))
    throw new UserError('shaders: expected a Map of names, such as matmul, to WGSL texts');
}

/** @throws UserError for another word */
function checkedClass(word: string | undefined): AdapterDescription['class'] | undefined {
  if (word === undefined || word === 'software' || word === 'gpu') return word;
  throw new UserError(
    `the class of the adapter (HRM_ADAPTER_CLASS, adapterClass) is '${word}', expected 'software' or 'gpu'`,
  );
}
