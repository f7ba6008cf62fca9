/** What the lab finds out about a kernel's text, step by step. */
import type { ParamValues } from '@hrm-webgpu/core';
import type { Roofline } from '../../timing/roofline.ts';
import type { Ratio } from '../../timing/statistics.ts';
import { type Badge, tryBadges } from '../badges/badges.ts';
import type { DuelReply } from '../trial/duel.ts';
import type { GradientsReply } from '../trial/gradients.ts';
import { inWords, problemOfTry, type TryReply } from '../trial/trial.ts';
import type { Outcome, Workshop } from '../trial/workshop.node.ts';

/** One word on a kernel. */
export type Verdict = 'wrong' | 'faster' | 'slower' | 'same' | 'right';

/** What is known so far. */
export interface Findings {
  kernel: string;
  /** Why it does not compile. */
  refused?: string;
  /** Why this adapter cannot run it. */
  skipped?: string;
  first?: TryReply;
  /** Every case in the settings that the check names, then in all pairs of settings. */
  named?: TryReply;
  covering?: TryReply;
  /** Of the ops that it is part of. */
  gradients?: GradientsReply;
  /** What went wrong otherwise: it does not end, or fails the device. */
  failure?: string;
  timing?: DuelReply & { rivals: string[]; shape: string };
  /** Nothing more was tried, as it takes more than ten times as long as another version. */
  stopped?: boolean;
  /** Milliseconds a run where its arrays are in no cache. */
  coldMs?: number;
  /** Of the adapter. */
  roofline?: Roofline;
  /** What came of it on poorer devices and by another compiler. */
  badges?: readonly Badge[];
  /** Why it is not timed against the committed version. */
  uncommitted?: string;
  /** From the save to the word on it: wrong, or how fast it is. */
  firstMs?: number;
  verdict?: Verdict;
}

/** A text that the kernel is timed against. */
export interface Rival {
  /** How it is called. */
  name: string;
  text: string;
}

export interface InspectionRequest {
  kernel: string;
  text: string;
  rivals: readonly Rival[];
  /** Why the committed version is not among them. */
  uncommitted?: string;
  params: ParamValues;
  /** How long the timing takes. */
  timingMs: number;
  /** What is tried after the first verdict: the cases that the check names, or all settings and badges as well. */
  whole: 'named' | 'all';
  /** What the first case may take at the most, compiling included; all together take some times as long. */
  limitMs: number;
  /** Of the adapter, where it has been measured. */
  roofline?: Roofline;
  /** The text is from elsewhere, and must have the interface of the checkout's. */
  standsIn?: boolean;
  /** Ends after the timing where it takes more than ten times as long as a rival. */
  stopsFar?: boolean;
  /** Stops what is not asked of the workshop. */
  signal?: AbortSignal;
}

/** Below that, a change is none. */
const WORTH = 0.01;

/** Looks into a text. `onFinding` hears of all that is known whenever something new is. Resolves to undefined when cancelled. */
export async function inspect(
  workshop: Workshop,
  request: InspectionRequest,
  onFinding: (findings: Findings) => void,
): Promise<Findings | undefined> {
  const { kernel, text, rivals, uncommitted, params, timingMs, whole, limitMs, stopsFar, standsIn } = request;
  const start = performance.now();
  let findings: Findings = { kernel, ...(uncommitted ? { uncommitted } : {}) };
  const tell = (news: Partial<Findings>) => {
    findings = { ...findings, ...news };
    findings.verdict = verdictOf(findings);
    if (findings.verdict === 'wrong' || findings.timing) findings.firstMs ??= performance.now() - start;
    onFinding(findings);
    return findings;
  };
  const attempt = async (cases: 'first' | 'named' | 'covering', limit: number): Promise<boolean> => {
    const outcome = await workshop.ask('try', { kernel, text, cases, standsIn }, limit);
    if (outcome.cancelled) return false;
    tell(newsOf(outcome, cases));
    return findings.verdict !== 'wrong' && !findings.skipped;
  };
  if (!(await attempt('first', limitMs))) return ended(findings);
  const asked = { kernel, text, rivals: rivals.map(({ text }) => ({ text })), params, ms: timingMs };
  const { reply, failure, cancelled } = await workshop.ask('duel', asked, limitMs + 10 * timingMs);
  if (cancelled) return undefined;
  const names = rivals.map(({ name }) => name);
  tell(reply ? { timing: { ...reply, rivals: names, shape: inWords(params) } } : { failure });
  if (findings.verdict === 'wrong') return ended(findings);
  if (reply?.isFarSlower && stopsFar) return tell({ stopped: true });
  if (!(await attempt('named', 10 * limitMs)) || whole === 'named') return ended(findings);
  if (!(await attempt('covering', 20 * limitMs))) return ended(findings);
  await inspectFurther(workshop, request, tell);
  return ended(findings);
}

/** What takes longer than one waits for: gradients, cold caches, other devices, the roofline. Ends where something is wrong. */
async function inspectFurther(
  workshop: Workshop,
  { kernel, text, params, limitMs, roofline, signal = new AbortController().signal }: InspectionRequest,
  tell: (news: Partial<Findings>) => Findings,
): Promise<void> {
  const limit = 10 * limitMs;
  const gradients = await workshop.ask('gradients', { kernel, text }, limit);
  if (gradients.cancelled) return;
  const { failure } = gradients;
  if (problemIn(tell(failure ? { failure } : { gradients: gradients.reply }))) return;
  const cold = await workshop.ask('cold', { kernel, text, params }, limit);
  if (cold.cancelled) return;
  if (problemIn(tell(cold.failure ? { failure: cold.failure } : { coldMs: cold.reply?.ms }))) return;
  let badges: readonly Badge[] = [];
  const note = (badge: Badge) => {
    badges = [...badges, badge];
    tell({ badges });
  };
  await tryBadges(kernel, text, limit, note, signal);
  if (signal.aborted || badges.some(({ problem }) => problem)) return;
  const measured = roofline ?? (await workshop.ask('roofline', {}, limit)).reply;
  if (measured && !signal.aborted) tell({ roofline: measured });
}

/** Undefined where it was cancelled before anything was known. */
function ended(findings: Findings): Findings | undefined {
  return findings.verdict || findings.skipped ? findings : undefined;
}

function newsOf(
  { reply, failure }: Outcome<TryReply>,
  cases: 'first' | 'named' | 'covering',
): Partial<Findings> {
  if (failure) return { failure };
  if (reply?.skipped) return { skipped: reply.skipped };
  if (reply?.refused) return { refused: reply.refused };
  return { [cases]: reply };
}

/** What is wrong, where something is. */
export function problemIn({
  refused,
  failure,
  first,
  named,
  covering,
  gradients,
  badges,
}: Findings): string | undefined {
  const tried = [first, named, covering].find((reply) => reply?.problem);
  const badge = badges?.find(({ problem }) => problem);
  return (
    refused ??
    problemOfTry({ reply: tried, failure }) ??
    gradients?.problem ??
    (badge && `${badge.name}: ${badge.problem}`)
  );
}

function verdictOf(findings: Findings): Verdict | undefined {
  if (problemIn(findings) !== undefined) return 'wrong';
  const [against] = findings.timing?.against ?? [];
  if (against && !('problem' in against)) return compareTimes(against);
  return findings.timing || findings.first ? 'right' : undefined;
}

/** `same` unless the interval excludes that it is, and the change is worth a word. */
export function compareTimes({ ratio, low, high }: Ratio): 'faster' | 'slower' | 'same' {
  if (high < 1 && ratio < 1 - WORTH) return 'faster';
  if (low > 1 && ratio > 1 + WORTH) return 'slower';
  return 'same';
}
