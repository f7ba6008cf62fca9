import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { UserError } from './errors.ts';

/**
 * Chromium's package on Debian brings SwiftShader, a slower software adapter: the fallback where no usable
 * Mesa can be had. The Vulkan loader reads the variable when an instance is created.
 */
const SWIFTSHADER_ICD = '/usr/lib/chromium/vk_swiftshader_icd.json';

/**
 * The `GPU` entry point in Node: Dawn, from the optional peer package `webgpu`.
 *
 * The returned object is Dawn's instance: it must stay referenced for as long as any adapter or device made
 * from it lives, else the process dies with `std::system_error`.
 *
 * @throws UserError when the package is missing or its native library does not load
 */
export async function openGpu(): Promise<GPU> {
  // Mesa complains on stderr when the variable is unset, as it is in containers and cron jobs.
  process.env.XDG_RUNTIME_DIR ??= tmpdir();
  const { create, globals } = await loadDawn();
  Object.assign(globalThis, globals);
  const gpu = create([]) as GPU;
  if (!process.env.VK_DRIVER_FILES && existsSync(SWIFTSHADER_ICD) && !(await gpu.requestAdapter())) {
    process.env.VK_DRIVER_FILES = SWIFTSHADER_ICD;
    return create([]) as GPU;
  }
  return gpu;
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

/** What to do when there is no adapter on this machine. */
export const NO_ADAPTER_REMEDY =
  'Run `npm run doctor` in a checkout to see what is missing. On Debian or Ubuntu, `npm run setup` installs ' +
  'a software adapter (Mesa lavapipe); elsewhere install a Vulkan, Metal or Direct3D 12 driver.';
