/** Compiles kernels for an AMD GPU that need not be there, with Mesa's RADV and its null device. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type AdapterDescription, UserError } from '@hrm-webgpu/core';
import { parseShaderReport, type ShaderStats } from './isa-parse.ts';
import type { Variant } from './isa-variants.ts';

/** What the compiling process is going to compile, and for what. */
export interface Plan {
  adapter: AdapterDescription;
  variants: Variant[];
  skipped: string[];
}

export interface Compiled extends Variant, ShaderStats {}

/** What came of compiling everything. */
export interface Compilation {
  plan: Plan;
  compiled: Compiled[];
  /** Values for tuning that a kernel rules out beside its defaults, by a `const_assert`: the tuner gets the same answer. */
  ruledOut: Variant[];
}

/** Starts the lines on stderr that stand between what the driver says of two pipelines. */
export const MARK = '@@ pipeline ';

/** Stands there instead of it for a value that the kernel rules out. */
export const RULED_OUT = '@@ ruled out';

/** The newest family that Dawn can open as a null device (Mesa 25.0): GCN 4, Radeon RX 480. */
export const FAMILY = 'polaris10';

const ICD_FOLDERS = ['/etc/vulkan/icd.d', '/usr/local/share/vulkan/icd.d', '/usr/share/vulkan/icd.d'];

/** Where Linux keeps RADV's manifest (`radeon_icd.json`, before Mesa 25 `radeon_icd.x86_64.json`). */
export function findRadv(folders: readonly string[] = ICD_FOLDERS): string {
  for (const folder of folders.filter(existsSync)) {
    const file = readdirSync(folder).find((name) => /^radeon_icd.*\.json$/.test(name));
    if (file) return join(folder, file);
  }
  throw new UserError(
    `not measured: Mesa's RADV driver, which compiles for AMD GPUs, is not installed (no radeon_icd*.json in ${folders.join(', ')}). ` +
      'On Debian and Ubuntu it is in the package mesa-vulkan-drivers; there is none for systems other than Linux.',
  );
}

/**
 * Compiles kernels in a process of its own and returns what the driver says of each.
 *
 * @throws UserError when there is no RADV, or a kernel does not compile
 */
export async function compileWithRadv(kernels: readonly string[]): Promise<Compilation> {
  const { stdout, stderr, ended } = await runCompiler(findRadv(), kernels);
  const [preamble, ...sections] = stderr.split(MARK);
  if (!sections.at(-1)?.startsWith('end')) throw failure(stdout, preamble, sections, ended);
  const plan: Plan = JSON.parse(stdout);
  const compiled: Compiled[] = [];
  const ruledOut: Variant[] = [];
  for (const [index, variant] of plan.variants.entries()) {
    if (sections[index].includes(RULED_OUT)) ruledOut.push(variant);
    else compiled.push({ ...variant, ...statsOf(variant, sections[index]) });
  }
  return { plan, compiled, ruledOut };
}

function statsOf(variant: Variant, section: string): ShaderStats {
  try {
    return parseShaderReport(section);
  } catch (cause) {
    throw new UserError(`${describe(variant)}: ${(cause as Error).message}`, { cause });
  }
}

interface Output {
  stdout: string;
  stderr: string;
  /** How the process ended. */
  ended: string;
}

function runCompiler(driver: string, kernels: readonly string[]): Promise<Output> {
  const env = {
    ...process.env,
    VK_DRIVER_FILES: driver,
    RADV_FORCE_FAMILY: FAMILY,
    RADV_DEBUG: 'nocache,shaderstats,asm', // Mesa says nothing of what it finds in its cache
  };
  // The compiled script, whether this file is compiled (dist/) or its source (src/).
  const script = fileURLToPath(new URL('../../dist/isa/isa-compile.js', import.meta.url));
  const child = spawn(process.execPath, [script, ...kernels], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ ...output, ended: signal ?? `exit code ${code}` }));
  });
}

/** Why the process did not get to the end: the last it said, and what it was at. */
function failure(stdout: string, preamble: string, sections: readonly string[], ended: string): UserError {
  const said = (sections.at(-1) ?? preamble)
    .replace(/^\d+\n/, '')
    .trim()
    .slice(-2000);
  if (sections.length === 0) return new UserError(`RADV gave no device (${ended}):\n${said}`);
  const plan: Plan = JSON.parse(stdout);
  return new UserError(
    `${describe(plan.variants[sections.length - 1])} does not compile (${ended}):\n${said}`,
  );
}

function describe({ kernel, constants }: Variant): string {
  return `${kernel} ${JSON.stringify(constants)}`;
}
