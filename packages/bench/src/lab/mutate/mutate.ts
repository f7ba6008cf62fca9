/** Plants mistakes in kernels, one at a time, and lists those that no check finds. */
import { UserError } from '@hrm-webgpu/core';
import { checks } from '@hrm-webgpu/kernels/checks';
import type { TryReply, TryRequest } from '../trial/trial.ts';
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
  const limitFor = limitsOf(kernel);
  if ((await limitFor('lean', workshops[0])) === undefined) return undefined;
  const known = explanations[kernel] ?? {};
  const mutants = mutantsOf(checks[kernel].kernel.text).filter((_, i) => i % slice.of === slice.index);
  const fates: Fate[] = [];
  let done = 0;
  const queue = mutants.entries();
  const work = async (workshop: Workshop) => {
    for (const [i, mutant] of queue) {
      signal?.throwIfAborted();
      const explanation = known[mutant.id];
      const tried = await tryHard(workshop, kernel, mutant, limitFor, explanation !== undefined);
      fates[i] = { mutant, ...fateOf(tried, explanation) };
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

/**
 * How long a mutant may take in cases, in ms: found out by the kernel itself, in the workshop that needs to know it first. Undefined
 * where the adapter cannot run it.
 */
function limitsOf(kernel: string) {
  const { text } = checks[kernel].kernel;
  const asItIs = async (cases: TryRequest['cases'], workshop: Workshop) => {
    const tried = await workshop.ask('try', { kernel, text, cases }, FIRST_MS);
    const problem = problemIn(tried);
    if (problem) throw new UserError(`${kernel} is wrong without any mistake: ${problem}`);
    return tried.reply?.skipped ? undefined : Math.max(LEAST_MS, PATIENCE * tried.ms);
  };
  const found = new Map<TryRequest['cases'], ReturnType<typeof asItIs>>();
  return (cases: TryRequest['cases'], workshop: Workshop) => {
    const limit = found.get(cases) ?? asItIs(cases, workshop);
    found.set(cases, limit);
    return limit;
  };
}

const problemIn = ({ reply, failure }: Outcome<TryReply>) => failure ?? reply?.refused ?? reply?.problem;

/**
 * First on what compiles soonest, which finds most; then in the settings that the check names; and where it lives in those and
 * nobody says why, in all pairs of settings.
 */
async function tryHard(
  workshop: Workshop,
  kernel: string,
  { text }: Mutant,
  limitFor: ReturnType<typeof limitsOf>,
  isExplained: boolean,
): Promise<Outcome<TryReply>> {
  const attempt = async (cases: TryRequest['cases']) =>
    workshop.ask('try', { kernel, text, cases }, (await limitFor(cases, workshop)) ?? LEAST_MS);
  let tried = await attempt('lean');
  if (!problemIn(tried)) tried = await attempt('named');
  return problemIn(tried) || isExplained ? tried : attempt('covering');
}

function fateOf(tried: Outcome<TryReply>, explanation: string | undefined): Omit<Fate, 'mutant'> {
  const problem = problemIn(tried);
  if (problem === undefined)
    return explanation ? { fate: 'explained', reason: explanation } : { fate: 'lives', reason: '' };
  if (tried.reply?.refused) return { fate: 'invalid', reason: problem.split('\n')[0] };
  const at = tried.reply?.at;
  return { fate: 'killed', reason: at ? `${problem} (${at})` : problem };
}
