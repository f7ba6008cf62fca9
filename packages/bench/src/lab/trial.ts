/** Tries a kernel's text: every case that it is checked on, in all the settings asked for, until something is wrong. */
import type { ConstantValues, Device, ParamValues } from '@hrm-webgpu/core';
import type { Kernel } from '@hrm-webgpu/kernels';
import {
  checks,
  coveringSettings,
  type KernelCheck,
  marginOf,
  problemOf,
  runCheck,
  tunablesIn,
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
  return grouped(check, device, [{}, ...(check.variants ?? [])]);
}

/** All cases in settings in which every value of a tunable meets every value of every other one. */
export async function coveringCases(check: KernelCheck<ParamValues>, device: Device): Promise<TrialCase[]> {
  const { kernel } = check;
  const [params] = check.cases;
  const derived = kernel.constants?.(params, device.adapter.class);
  const settings = await coveringSettings(tunablesIn(kernel.name, kernel.text), async (values) => {
    const refused = await device.program(kernel, { ...derived, ...values }).attempt();
    return !refused?.includes('const assertion failed');
  });
  return grouped(check, device, settings);
}

function grouped(
  { kernel, cases }: KernelCheck<ParamValues>,
  device: Device,
  settings: readonly ConstantValues[],
): TrialCase[] {
  const groups = new Map<string, TrialCase[]>();
  for (const constants of settings)
    for (const params of cases) {
      const key = JSON.stringify({ ...kernel.constants?.(params, device.adapter.class), ...constants });
      groups.set(key, [...(groups.get(key) ?? []), { params, constants }]);
    }
  return [...groups.values()].flat();
}

/** Runs a case. */
export async function tryCase(
  device: Device,
  check: KernelCheck<ParamValues>,
  { params, constants }: TrialCase,
): Promise<CaseOutcome> {
  const result = await runCheck(device, check, params, { constants });
  const problem = problemOf(result);
  const margin = Math.max(0, ...result.comparisons.map(marginOf));
  return { params, constants, margin, ...(problem ? { problem } : {}) };
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

/** Why an adapter cannot run a kernel; undefined where it can, wherever it is meant to be fast. */
export function reasonToSkip({ needs }: Kernel<ParamValues>, { adapter }: Device): string | undefined {
  if (!needs || needs(adapter)) return undefined;
  return `it needs subgroups of 8 lanes, this adapter has ${adapter.subgroupMinSize || 'none'}`;
}

/** A case in a line. */
export function nameOf({ params, constants }: TrialCase): string {
  const entries = Object.entries({ ...params, ...constants });
  return entries.map(([name, value]) => `${name} ${value}`).join(' ');
}
