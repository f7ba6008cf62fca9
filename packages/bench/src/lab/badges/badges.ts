/** Whether a kernel is right on poorer devices and by another compiler, as far as that can be tried here. */
import { type ConstantValues, specialize, UserError } from '@hrm-webgpu/core';
import { checkOf, problemOfTry } from '../trial/trial.ts';
import { Workshop } from '../trial/workshop.node.ts';
import { hasNaga, nagaVerdict } from './naga.node.ts';

/** One thing that was tried. */
export interface Badge {
  name: string;
  /** What is wrong; absent where nothing is. */
  problem?: string;
  /** Why it was not tried. */
  skipped?: string;
}

interface Device {
  name: string;
  /** Of the process, see device.node.ts; Mesa's llvmpipe has subgroups as wide as its vectors. */
  environment: Record<string, string>;
  /** Which kernels it may make a difference to. */
  matters(text: string): boolean;
  /** Lanes that its subgroups must have for it to be what its name says. */
  lanes?: number;
}

const usesSubgroups = (text: string) => /\bsubgroups?\w*\b/.test(text);
const DEVICES: readonly Device[] = [
  { name: 'default limits', environment: { LAB_DEVICE: 'bare' }, matters: (text) => !usesSubgroups(text) },
  { name: 'no f16', environment: { LAB_DEVICE: 'no shader-f16' }, matters: (text) => /\bf16\b/.test(text) },
  ...[4, 8, 16].map((lanes) => ({
    name: `subgroups of ${lanes}`,
    environment: { LP_NATIVE_VECTOR_WIDTH: String(32 * lanes) },
    matters: usesSubgroups,
    lanes,
  })),
];

/** Tries a text in each way that is to be had here, and tells of each. What takes longer than `limitMs` is stopped. */
export async function tryBadges(
  kernel: string,
  text: string,
  limitMs: number,
  onBadge: (badge: Badge) => void,
  signal: AbortSignal,
): Promise<void> {
  const tell = (name: string, found: Omit<Badge, 'name'> | undefined) => {
    if (found && !signal.aborted) onBadge({ name, ...found });
  };
  if (hasNaga()) tell('naga', await naga(kernel, text, signal));
  for (const device of DEVICES)
    if (!signal.aborted && device.matters(text))
      tell(device.name, await onDevice(kernel, text, device, limitMs, signal));
}

async function onDevice(
  kernel: string,
  text: string,
  { environment, lanes }: Device,
  limitMs: number,
  signal: AbortSignal,
): Promise<Omit<Badge, 'name'> | undefined> {
  const workshop = new Workshop(environment);
  const stop = () => workshop.close();
  signal.addEventListener('abort', stop);
  try {
    const { reply: adapter } = await workshop.ask('about', {}, limitMs);
    if (lanes && adapter?.lanes !== lanes) return undefined;
    const outcome = await workshop.ask('try', { kernel, text, cases: 'named' }, limitMs);
    const problem = problemOfTry(outcome);
    const skipped = outcome.reply?.skipped;
    return { ...(problem ? { problem } : {}), ...(skipped ? { skipped } : {}) };
  } catch (error) {
    // Its process does not start: there is no such device; or it was stopped before it had.
    if (error instanceof UserError) return { skipped: error.message };
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    workshop.close();
  }
}

/** The texts that its cases are run with, on software and on GPUs. */
async function naga(kernel: string, text: string, signal: AbortSignal): Promise<Omit<Badge, 'name'>> {
  const { kernel: definition, cases, variants = [] } = checkOf(kernel, text);
  const texts = new Set<string>();
  for (const params of cases)
    for (const adapterClass of ['software', 'gpu'] as const)
      for (const constants of [{}, ...variants] as ConstantValues[])
        texts.add(
          specialize(kernel, text, { ...definition.constants?.(params, adapterClass), ...constants }),
        );
  try {
    return await nagaVerdict([...texts], signal);
  } catch (error) {
    return { skipped: (error as Error).message };
  }
}
