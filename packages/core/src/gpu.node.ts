import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { aroundDriver } from './driver-output.node.ts';
import { UserError } from './errors.ts';
import { addressSpaceLeft } from './free-memory.node.ts';
import { Tensor } from './tensor.ts';

/**
 * Chromium's package on Debian brings SwiftShader, a slower software adapter: the fallback where no usable
 * Mesa can be had. The Vulkan loader reads the variable when an instance is created.
 */
const SWIFTSHADER_ICD = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** Dawn rounds timestamps to 65.5 µs unless told otherwise, as browsers should; most kernels take less. */
const EXACT_TIMESTAMPS = 'disable-dawn-features=timestamp_quantization';

/**
 * Dawn's instances, one for each name that an adapter was asked for by: each has a descriptor and memory of its own for good, as one that
 * is collected before the last callback of a closed device has run takes the process with it (see {@link OpenedAdapter}).
 */
const instances = new Map<string, GPU>();

/** What to do when there is no adapter on this machine. */
const NO_ADAPTER_REMEDY =
  'In a checkout, `npm run doctor` shows what is missing and `npm run setup` installs a software adapter ' +
  '(Mesa lavapipe) on Debian or Ubuntu; elsewhere install a Vulkan, Metal or Direct3D 12 driver.';

/** A GPU adapter together with the instance that must outlive it. */
export interface OpenedAdapter {
  /** Dawn's instance: when it is collected while a device lives, the process dies (`std::system_error`). */
  instance: GPU;
  adapter: GPUAdapter;
  /** From the environment: what the adapter is to be taken for. */
  adapterClass?: 'software' | 'gpu';
}

/**
 * Asks Dawn (the optional peer package `webgpu`) for the adapter that suits computing best, or for one that has the environment
 * variable HRM_ADAPTER in its name.
 *
 * @param fallback whether Chromium's SwiftShader may serve where there is no other adapter
 * @throws UserError when the package is missing, its native library does not load, or there is no adapter
 */
export async function openAdapter(fallback = true): Promise<OpenedAdapter> {
  printTensorsBriefly();
  // Mesa complains on stderr when the variable is unset, as it is in containers and cron jobs.
  process.env.XDG_RUNTIME_DIR ??= tmpdir();
  expectAddressSpace();
  const { create } = await loadDawn();
  const name = process.env.HRM_ADAPTER ?? '';
  let { result, said } = await aroundDriver(() => requestAdapter(create, name));
  if (!result.adapter && fallback && !process.env.VK_DRIVER_FILES && existsSync(SWIFTSHADER_ICD)) {
    process.env.VK_DRIVER_FILES = SWIFTSHADER_ICD;
    ({ result, said } = await aroundDriver(() => requestAdapter(create, name)));
  }
  const { instance, adapter } = result;
  const adapterClass = process.env.HRM_ADAPTER_CLASS as OpenedAdapter['adapterClass']; // checked where it is used
  if (adapter) return { instance, adapter, adapterClass };
  const reason = said ? `\nThe driver stack said:\n${said}` : '';
  throw new UserError(`No WebGPU adapter on this machine. ${NO_ADAPTER_REMEDY}${reason}`);
}

/** Dawn and Mesa's software driver were measured to take 750 MB of addresses to open, and 170 more to compute. */
const DRIVER_BYTES = 950e6;

/** @throws UserError where the driver would end the process: it has no way to say that there are no addresses */
function expectAddressSpace(): void {
  if (instances.size > 0) return;
  const left = addressSpaceLeft();
  if (left === undefined || left >= DRIVER_BYTES) return;
  throw new UserError(
    `this process may take ${(left / 1e6).toFixed(0)} MB of addresses more (ulimit -v), and starting the GPU takes about ` +
      `${DRIVER_BYTES / 1e6}: raise the limit, or lift it (ulimit -v unlimited)`,
  );
}

type Create = typeof import('webgpu')['create'];

/** From the instance that there is, or from a new one, which looks for adapters anew. */
async function requestAdapter(
  create: Create,
  name: string,
): Promise<{ instance: GPU; adapter: GPUAdapter | null }> {
  const known = instances.get(name);
  if (known) {
    const adapter = await ask(known, name);
    if (adapter) return { instance: known, adapter };
  }
  const instance = create([EXACT_TIMESTAMPS, ...(name ? [`adapter=${name}`] : [])]) as GPU;
  const adapter = await ask(instance, name);
  if (adapter) instances.set(name, instance);
  return { instance, adapter };
}

const ask = (instance: GPU, name: string) =>
  instance.requestAdapter({ powerPreference: 'high-performance' }).catch((cause) => {
    throw name ? noneNamed(name, cause) : cause;
  });

/** Dawn says which there are. */
function noneNamed(name: string, cause: unknown): UserError {
  const names = [...String(cause).matchAll(/name: '([^']+)'/g)].map(([, one]) => one);
  const others = names.length > 0 ? `; there is ${names.join(', ')}` : '';
  return new UserError(`there is no adapter whose name has '${name}' in it${others}`, { cause });
}

/** Has console.log print a tensor as `String` does, instead of the whole engine behind it. Here, as browsers do not ask. */
function printTensorsBriefly(): void {
  const value = Tensor.prototype.toString;
  Object.defineProperty(Tensor.prototype, Symbol.for('nodejs.util.inspect.custom'), {
    value,
    configurable: true,
  });
}

async function loadDawn(): Promise<typeof import('webgpu')> {
  try {
    return await import('webgpu');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const reason =
      code === 'ERR_MODULE_NOT_FOUND'
        ? "the package 'webgpu' (Dawn for Node) is not installed; run: npm install webgpu"
        : `Dawn's native library does not load on this system: ${message}\nPrebuilt binaries exist for ` +
          'Linux x64 (glibc 2.35 or later), macOS and Windows x64/arm64.';
    throw new UserError(`No WebGPU in Node: ${reason}`, { cause });
  }
}

export { freeMemory } from './free-memory.node.ts';
export { resting } from './submits/rest.node.ts';
