/** What `lab diff` runs side by side. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '@hrm-webgpu/core';

/** One side, as a process is started for it. */
export interface Variant {
  /** As it was given. */
  name: string;
  /** The script of the build that runs. */
  script: string;
  /** Beside this process's. */
  environment: Record<string, string>;
  shaders?: string;
  eager: boolean;
}

const OWN_SCRIPT = fileURLToPath(new URL('./side-process.node.js', import.meta.url));
/** Where a checkout that has been built has it. */
const SCRIPT_IN_CHECKOUT = 'packages/bench/dist/lab/seeing/diff/side-process.node.js';

export const VARIANT_HELP = `  ours               the kernels and the build of this checkout, recorded
  FOLDER             of shaders: its kernels; those that are not there are ours
  CHECKOUT           the folder of another checkout, built: its engine and its kernels
  eager, recorded    op by op, or recorded and replayed
  class=gpu          the kernels for GPUs, or for software adapters (class=software), on any adapter
  adapter=NAME       an adapter whose name has this in it, where there are several
  driver=FILE        the adapter of this Vulkan driver: its manifest, e.g. /usr/share/vulkan/icd.d/lvp_icd.json`;

/**
 * A variant by the words that make it, separated by commas: `eager,class=gpu`.
 *
 * @throws UserError for a word that is none, and for a checkout that has no build of this command
 */
export function variantOf(text: string): Variant {
  const variant: Variant = { name: text, script: OWN_SCRIPT, environment: {}, eager: false };
  for (const word of text.split(',')) apply(variant, word);
  return variant;
}

function apply(variant: Variant, word: string): void {
  const [key, value] = word.split('=');
  if (word === 'ours' || word === 'recorded') return;
  if (word === 'eager') variant.eager = true;
  else if (key === 'class' && value) variant.environment.HRM_ADAPTER_CLASS = value;
  else if (key === 'adapter' && value) variant.environment.HRM_ADAPTER = value;
  else if (key === 'driver' && value) {
    if (!existsSync(value)) throw new UserError(`${word}: there is no such file`);
    Object.assign(variant.environment, { VK_DRIVER_FILES: value, VK_ICD_FILENAMES: value });
  } else if (!statSync(word, { throwIfNoEntry: false })?.isDirectory())
    throw new UserError(
      `'${word}': expected ours, recorded, eager, class=…, adapter=…, driver=…, or the folder of shaders or of a checkout`,
    );
  else if (readdirSync(word).some((file) => file.endsWith('.wgsl'))) variant.shaders = resolve(word);
  else variant.script = scriptIn(word);
}

function scriptIn(folder: string): string {
  const script = resolve(join(folder, SCRIPT_IN_CHECKOUT));
  if (existsSync(script)) return script;
  throw new UserError(
    existsSync(join(folder, 'packages/bench'))
      ? `${folder} has no build that can be compared: run npm run build there (its version must have 'lab diff')`
      : `${folder} holds no .wgsl files, and is no checkout`,
  );
}
