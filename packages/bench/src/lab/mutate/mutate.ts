/** Plants mistakes in kernels, one at a time, and lists those that no check finds. */
import { UserError } from '@hrm-webgpu/core';
import { checks } from '@hrm-webgpu/kernels/checks';
import type { TryReply } from '../trial/trial.ts';
import type { Outcome, Workshop } from '../trial/workshop.node.ts';
import { explanations } from './explanations.ts';
import { type Mutant, mutantsOf } from './mutants.ts';

/** What became of a mutant. */
export interface Fate {
  mutant: Mutant;
  /** `killed`: a check finds it. `invalid`: it does not compile. `explained`: nothing can find it, and why is known. */
  fate: 'killed' | 'invalid' | 'explained' | 'lives';
  /** What found it, or why nothing can. */
  reason: string;
}

/** What became of a kernel's mutants. */
export interface KernelFates {
  kernel: string;
  fates: Fate[];
  /** Explanations of mutants that are found, or that there are no more: they are wrong. */
  stale: string[];
  seconds: number;
}

export interface MutateOptions {
  /** Only those that this one of so many slices has: the i-th of every n. */
  slice?: { index: number; of: number };
  onFate?(fate: Fate, done: number, of: number): void;
  signal?: AbortSignal;
}

/** A mutant that takes so many times as long as the kernel itself, or more, does not end. */
const PATIENCE = 10;
const LEAST_MS = 30_000;
/** The kernel itself may take as long as tiled kernels compile on a busy machine. */
const FIRST_MS = 30 * 60_000;

/**
 * @param workshops that share the work: most of it is compiling, for which a driver takes one processor
 * @throws UserError when the kernel itself is wrong: then everything would look found
 */
export async function mutateKernel(
  workshops: readonly [Workshop, ...Workshop[]],
  kernel: string,
  { slice = { index: 0, of: 1 }, onFate, signal }: MutateOptions = {},
): Promise<KernelFates | undefined> {
  const start = performance.now();
  const { text } = checks[kernel].kernel;
  const [first] = workshops;
  const itself = await first.ask('try', { kernel, text, cases: 'named' }, FIRST_MS);
  if (itself.reply?.skipped) return undefined;
  const problem =
    problemIn(itself) ?? problemIn(await first.ask('try', { kernel, text, cases: 'covering' }, FIRST_MS));
  if (problem) throw new UserError(`${kernel} is wrong without any mistake: ${problem}`);
  const limitMs = Math.max(LEAST_MS, PATIENCE * itself.ms);
  const known = explanations[kernel] ?? {};
  const mutants = mutantsOf(text).filter((_, i) => i % slice.of === slice.index);
  const fates: Fate[] = [];
  let done = 0;
  const queue = mutants.entries();
  const work = async (workshop: Workshop) => {
    for (const [i, mutant] of queue) {
      signal?.throwIfAborted();
      fates[i] = { mutant, ...fateOf(await tryHard(workshop, kernel, mutant, limitMs), known[mutant.id]) };
      onFate?.(fates[i], ++done, mutants.length);
    }
  };
  const leaveNothing = (error: unknown) => {
    for (const _ of queue);
    throw error;
  };
  await Promise.all(workshops.map((workshop) => work(workshop).catch(leaveNothing)));
  const needed = new Set(fates.filter(({ fate }) => fate === 'explained').map(({ mutant }) => mutant.id));
  const stale = slice.of > 1 ? [] : Object.keys(known).filter((id) => !needed.has(id));
  return { kernel, fates, stale, seconds: (performance.now() - start) / 1000 };
}

const problemIn = ({ reply, failure }: Outcome<TryReply>) => failure ?? reply?.refused ?? reply?.problem;

/** In the settings that the check names, and where it lives in those, in all pairs of settings. */
async function tryHard(
  workshop: Workshop,
  kernel: string,
  { text }: Mutant,
  limitMs: number,
): Promise<Outcome<TryReply>> {
  const tried = await workshop.ask('try', { kernel, text, cases: 'named' }, limitMs);
  if (problemIn(tried)) return tried;
  return workshop.ask('try', { kernel, text, cases: 'covering' }, 20 * limitMs);
}

function fateOf(tried: Outcome<TryReply>, explanation: string | undefined): Omit<Fate, 'mutant'> {
  const problem = problemIn(tried);
  if (problem === undefined)
    return explanation ? { fate: 'explained', reason: explanation } : { fate: 'lives', reason: '' };
  if (tried.reply?.refused) return { fate: 'invalid', reason: problem.split('\n')[0] };
  const at = tried.reply?.at;
  return { fate: 'killed', reason: at ? `${problem} (${at})` : problem };
}
