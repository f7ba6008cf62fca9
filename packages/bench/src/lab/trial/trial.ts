/** Tries a kernel's text: every case that it is checked on, in all the settings asked for, until something is wrong. */
import type { ConstantValues, Device, ParamValues } from '@hrm-webgpu/core';
import type { Kernel } from '@hrm-webgpu/kernels';
import {
  allows,
  checkReplacements,
  checks,
  coveringSettingsOf,
  hardInputsOf,
  type KernelCheck,
  leanSettingsOf,
  marginOf,
  problemOf,
  runCheck,
} from '@hrm-webgpu/kernels/checks';

/** A kernel's check, with another text in the place of its shader's. */
export function checkOf(kernel: string, text?: string): KernelCheck<ParamValues> {
  const check = checks[kernel];
  return text === undefined ? check : { ...check, kernel: { ...check.kernel, text } };
}

/** A case of a check in some setting. */
export interface TrialCase {
  params: ParamValues;
  constants: ConstantValues;
  /** With its grid folded, as long ones are. */
  folded?: boolean;
  /** On which of the check's hard inputs. */
  hard?: string;
}

/** What came of a case. */
export interface CaseOutcome extends TrialCase {
  /** What is wrong, if anything is. */
  problem?: string;
  /** The largest error as a share of what is allowed, and in which array. */
  margin: number;
}

/** All cases in the settings that the check names, those that need the same pipeline after each other. */
export function namedCases(check: KernelCheck<ParamValues>, device: Device): TrialCase[] {
  const named = grouped(check, device, [{}, ...(check.variants ?? [])]);
  const standard = named.filter(({ constants }) => Object.keys(constants).length === 0);
  // The first cases are too small for several workgroups, some of the last ones need pipelines of their own.
  const folded = standard.slice(0, 4).map((one) => ({ ...one, folded: true }));
  const hard = hardInputsOf(check).flatMap((name) => named.map((one) => ({ ...one, hard: name })));
  return [...named, ...folded, ...hard];
}

/** The cases of the first pipeline that shapes ask for, in the settings that compile soonest: they find most of what is wrong. */
export async function leanCases(check: KernelCheck<ParamValues>, device: Device): Promise<TrialCase[]> {
  const [shape] = pipelinesOf(check, device, {});
  const constants = await leanSettingsOf(device, check, shape[0].params);
  const found = constants ? shape.map(({ params }) => ({ params, constants })) : [];
  const folded = found.map((one) => ({ ...one, folded: true }));
  const hard = hardInputsOf(check).flatMap((name) => found.map((one) => ({ ...one, hard: name })));
  return [...found, ...folded, ...hard];
}

/**
 * All cases in settings in which every value of a tunable meets every value of every other one, as far as the kernel's
 * `const_assert`s allow them. Where that takes more pipelines than can be waited for, each setting is tried on the cases of one of
 * the pipelines that shapes ask for, by turns, and each of these in some setting.
 */
export async function coveringCases(check: KernelCheck<ParamValues>, device: Device): Promise<TrialCase[]> {
  const settings = await coveringSettingsOf(device, check);
  const shapes = pipelinesOf(check, device, {});
  const allowed = async (shape: TrialCase[], constants: ConstantValues) =>
    (await allows(device, check.kernel, shape[0].params, constants))
      ? shape.map(({ params }) => ({ params, constants }))
      : [];
  const found: TrialCase[] = [];
  if (settings.length * shapes.length <= MOST_PIPELINES) {
    for (const constants of settings)
      for (const shape of shapes) found.push(...(await allowed(shape, constants)));
    return found;
  }
  for (let i = 0; i < Math.max(settings.length, shapes.length); i++) {
    let tries: TrialCase[] = [];
    for (let j = i; tries.length === 0 && j < i + shapes.length; j++)
      tries = await allowed(shapes[j % shapes.length], settings[i % settings.length]);
    found.push(...tries);
  }
  return found;
}

/** So many tiled kernels compile in a minute or two. */
const MOST_PIPELINES = 24;

const grouped = (
  check: KernelCheck<ParamValues>,
  device: Device,
  settings: readonly ConstantValues[],
): TrialCase[] => settings.flatMap((constants) => pipelinesOf(check, device, constants).flat());

/** The cases in a setting, by the pipeline that they need. */
function pipelinesOf(
  { kernel, cases }: KernelCheck<ParamValues>,
  device: Device,
  constants: ConstantValues,
): TrialCase[][] {
  const groups = new Map<string, TrialCase[]>();
  for (const params of cases) {
    const key = JSON.stringify({ ...kernel.constants?.(params, device.adapter.class), ...constants });
    groups.set(key, [...(groups.get(key) ?? []), { params, constants }]);
  }
  return [...groups.values()];
}

/** Runs a case. */
export async function tryCase(
  device: Device,
  check: KernelCheck<ParamValues>,
  { params, constants, folded, hard }: TrialCase,
): Promise<CaseOutcome> {
  const result = await runCheck(device, check, params, { constants, folded, hard });
  const problem = problemOf(result);
  const margin = Math.max(0, ...result.comparisons.map(marginOf));
  return { params, constants, folded, hard, margin, ...(problem ? { problem } : {}) };
}

/** Runs cases until one is wrong, which is the result. */
export async function tryCases(
  device: Device,
  check: KernelCheck<ParamValues>,
  cases: readonly TrialCase[],
  onCase?: (outcome: CaseOutcome) => void,
  signal?: AbortSignal,
): Promise<CaseOutcome | undefined> {
  for (const one of cases) {
    signal?.throwIfAborted();
    const outcome = await tryCase(device, check, one);
    onCase?.(outcome);
    if (outcome.problem) return outcome;
  }
  return undefined;
}

/** What to try a kernel on. */
export interface TryRequest {
  kernel: string;
  text: string;
  /**
   * `first`: the case with most work that is no strain. `lean`: those of one pipeline, in the settings that compile soonest. `named`: all, in
   * those that the check names. `covering`: in settings that hold every pair of values of the kernel's tunables.
   */
  cases: 'first' | 'lean' | 'named' | 'covering';
  /** With `first`: the setting that it is tried in. */
  constants?: ConstantValues;
  /** Whether it must have the interface of the checkout's, whose definition is not going to change with it. */
  standsIn?: boolean;
}

export interface TryReply {
  /** What is wrong, and at which case; absent where all is right. */
  problem?: string;
  at?: string;
  /** Why it does not compile. */
  refused?: string;
  /** Why the adapter cannot run it. */
  skipped?: string;
  cases: number;
  /** The largest error as a share of what is allowed, and where. */
  margin: number;
  marginAt: string;
}

/** What is wrong with a kernel that was tried, and at which case; undefined where nothing is, or nothing was tried. */
export function problemOfTry({ reply, failure }: { reply?: TryReply; failure?: string }): string | undefined {
  return failure ?? reply?.refused ?? (reply?.problem && `${reply.problem}\nat ${reply.at}`);
}

/** Tries a kernel with another text until something is wrong. */
export async function tryKernel(
  device: Device,
  { kernel, text, cases: which, constants = {}, standsIn = false }: TryRequest,
  signal: AbortSignal,
): Promise<TryReply> {
  const check = checkOf(kernel, text);
  const reply: TryReply = { cases: 0, margin: 0, marginAt: '' };
  const skipped = reasonToSkip(check.kernel, device);
  if (skipped) return { ...reply, skipped };
  const named = namedCases(check, device);
  const all = {
    first: () => [{ ...heaviest(check, named), constants }],
    lean: () => leanCases(check, device),
    named: () => named,
    covering: () => coveringCases(check, device),
  };
  const cases = await all[which]();
  const refused =
    (await refusal(device, check, cases[0] ?? named[0])) ??
    (standsIn ? otherInterface(kernel, text) : undefined);
  if (refused) return { ...reply, refused };
  const note = (outcome: CaseOutcome) => {
    reply.cases += 1;
    if (outcome.margin < reply.margin) return;
    reply.margin = outcome.margin;
    reply.marginAt = nameOf(outcome);
  };
  const wrong = await tryCases(device, check, cases, note, signal);
  return { ...reply, ...(wrong ? { problem: wrong.problem, at: nameOf(wrong) } : {}) };
}

/** What the compiler says of the text as it stands, not as it is checked: with the places in the file. */
function refusal(
  device: Device,
  { kernel }: KernelCheck<ParamValues>,
  { params, constants }: TrialCase,
): Promise<string | undefined> {
  const all = { ...kernel.constants?.(params, device.adapter.class), ...constants };
  return device.program(kernel, all).attempt();
}

/** How the interface of a text differs from what it stands in for; undefined where it does not. */
function otherInterface(kernel: string, text: string): string | undefined {
  try {
    checkReplacements(new Map([[kernel, text]]));
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** More takes a software adapter, or the reference, more than a moment. */
const STRAIN = 2e7;

/** The case with most work that is no strain, in the standard settings. */
function heaviest({ kernel }: KernelCheck<ParamValues>, cases: readonly TrialCase[]): TrialCase {
  const work = ({ params }: TrialCase) => kernel.flops(params) + kernel.bytes(params);
  const standard = cases.filter(
    ({ constants, folded, hard }) => !folded && !hard && Object.keys(constants).length === 0,
  );
  const light = standard.filter((one) => work(one) < STRAIN);
  return (light.length > 0 ? light : standard).reduce((a, b) => (work(b) > work(a) ? b : a));
}

/** Why an adapter cannot run a kernel; undefined where it can, wherever it is meant to be fast. */
export function reasonToSkip({ needs }: Kernel<ParamValues>, { adapter }: Device): string | undefined {
  if (!needs || needs(adapter)) return undefined;
  return `it needs subgroups of 8 lanes, this adapter has ${adapter.subgroupMinSize || 'none'}`;
}

/** `m 64 n 96` */
export const inWords = (values: ConstantValues) =>
  Object.entries(values)
    .map((entry) => entry.join(' '))
    .join(' ');

/** A case in a line. */
export function nameOf({ params, constants, folded, hard }: TrialCase): string {
  return `${inWords({ ...params, ...constants })}${folded ? ', grid folded' : ''}${hard ? `, ${hard}` : ''}`;
}
