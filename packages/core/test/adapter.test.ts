import { afterEach, describe, expect, it, vi } from 'vitest';
import { adapterName, openDevice, Tensor, UserError, wrapDevice } from '../src/index.ts';
import { LARGEST_BINDING } from '../src/limits.ts';

afterEach(() => vi.unstubAllEnvs());

/** A device that says other things of its adapter, or claims other limits; it computes as before. */
async function pretending(info: Partial<GPUAdapterInfo>, limits: Partial<GPUSupportedLimits> = {}) {
  const { gpu, instance } = await openDevice();
  const own = gpu.limits;
  const named = { vendor: '', architecture: '', device: '', description: '', isFallbackAdapter: false };
  const faked = new Proxy(gpu, {
    get(target, key) {
      if (key === 'adapterInfo') return { ...named, ...info };
      if (key === 'limits')
        return new Proxy(own, { get: (_, name) => Reflect.get(limits, name) ?? Reflect.get(own, name, own) });
      const value = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
    set: (target, key, value) => Reflect.set(target, key, value, target),
  });
  const device = wrapDevice(faked);
  const close = () => {
    device.close();
    gpu.destroy();
    return instance; // which must outlive the device
  };
  return { device, close };
}

describe('the class of an adapter', () => {
  it.each([
    ['software', { isFallbackAdapter: true }],
    ['software', { description: 'llvmpipe (LLVM 15.0.6, 256 bits)' }],
    ['software', { vendor: 'google', architecture: 'swiftshader' }],
    ['software', { description: 'Microsoft Basic Render Driver' }],
    ['software', { device: 'WARP' }],
    ['gpu', { vendor: 'nvidia', architecture: 'ada-lovelace', description: 'NVIDIA GeForce RTX 4090' }],
    ['gpu', { description: 'AMD Radeon Pro W6800 (warpspeed)' }],
    ['gpu', {}],
  ] as const)('is %s for %o', async (expected, info) => {
    const { device, close } = await pretending(info);
    expect(device.adapter.class).toBe(expected);
    close();
  });

  it('can be told', async () => {
    const told = await openDevice({ adapterClass: 'gpu' });
    expect(told.adapter.class).toBe('gpu');
    const wrapped = wrapDevice(told.gpu, { adapterClass: 'software' });
    expect(wrapped.adapter.class).toBe('software');
    wrapped.close();
    told.close();
  });

  it('can be told by the environment, which an option overrules', async () => {
    vi.stubEnv('HRM_ADAPTER_CLASS', 'gpu');
    const [byName, byOption] = [await openDevice(), await openDevice({ adapterClass: 'software' })];
    expect([byName.adapter.class, byOption.adapter.class]).toEqual(['gpu', 'software']);
    byName.close();
    byOption.close();
    vi.stubEnv('HRM_ADAPTER_CLASS', 'fast');
    await expect(openDevice()).rejects.toThrow(
      new UserError(
        "the class of the adapter (HRM_ADAPTER_CLASS, adapterClass) is 'fast', expected 'software' or 'gpu'",
      ),
    );
  });
});

it('binds at most 2 GiB − 4 bytes, whatever the adapter claims', async () => {
  const claims = { maxStorageBufferBindingSize: 2 ** 32, maxBufferSize: 2 ** 32 };
  const { device, close } = await pretending({}, claims);
  expect(device.limits.maxStorageBufferBindingSize).toBe(LARGEST_BINDING);
  expect(() => Tensor.empty(device, [2 ** 29])).toThrow(
    /needs 2048\.0 MiB in one buffer.*maxStorageBufferBindingSize/,
  );
  close();
});

describe('the name of an adapter', () => {
  it('is what it says of itself', async () => {
    const { device, close } = await pretending({ vendor: 'acme', architecture: 'one' });
    expect(adapterName(device)).toBe('acme one');
    close();
  });

  it('tells adapters apart where the platform says nothing of them', async () => {
    const [small, large] = [await pretending({}), await pretending({}, { maxBufferSize: 2 ** 33 })];
    expect(adapterName(small.device)).toMatch(
      /^unnamed adapter \(.*buffers to \d+ MiB, workgroups of 1024 with/,
    );
    expect(adapterName(large.device)).toContain('buffers to 8192 MiB');
    expect(adapterName(large.device)).not.toBe(adapterName(small.device));
    small.close();
    large.close();
  });
});
