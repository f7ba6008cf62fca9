/** Whether a device computes what it should: a kernel, as it is going to be launched, against float64. */
import type { ConstantValues, Device, ParamValues } from '@hrm-webgpu/core';
import { checks } from '../checks.gen.ts';
import type { LaunchedKernel } from '../kernel.ts';
import type { KernelCheck } from './check.ts';
import { problemOf, runCheck } from './run-check.ts';

/** Cases beyond that take a software adapter, or the reference, more than a moment. */
const MOST = { flops: 2e7, bytes: 1e6 };

/** What came of checking a kernel on a device. */
export interface KernelVerdict {
  kernel: string;
  params: ParamValues;
  constants: ConstantValues;
  /** What is wrong; absent where all is right. */
  problem?: string;
}

/**
 * Checks a kernel at one shape: an awkward one of its check's that asks for the very pipeline that is going to be used, so
 * that nothing is compiled twice; where there is none, with the constants that do not follow from shapes.
 */
export async function selfCheck(
  device: Device,
  { kernel, constants: launched }: LaunchedKernel,
): Promise<KernelVerdict> {
  const known = (checks as unknown as Record<string, KernelCheck<ParamValues>>)[kernel.name];
  const check = { ...known, kernel }; // whose text may be the user's
  const derived = (params: ParamValues) => check.kernel.constants?.(params, device.adapter.class) ?? {};
  const wanted = sorted(launched);
  const own = (params: ParamValues) =>
    Object.fromEntries(Object.entries(launched).filter(([name]) => !Object.hasOwn(derived(params), name)));
  const small = check.cases.filter((one) => kernel.flops(one) < MOST.flops && kernel.bytes(one) < MOST.bytes);
  const same = small.filter((one) => sorted({ ...derived(one), ...own(one) }) === wanted);
  // The most work: several tiles and blocks, and their remainders.
  const work = (one: ParamValues) => kernel.flops(one) + kernel.bytes(one);
  const [params] = [...(same.length > 0 ? same : small)].sort((a, b) => work(b) - work(a));
  const constants = own(params);
  const problem = problemOf(await runCheck(device, check, params, { constants, asLaunched: true }));
  return {
    kernel: kernel.name,
    params,
    constants: { ...derived(params), ...constants },
    ...(problem ? { problem } : {}),
  };
}

const sorted = (constants: ConstantValues) =>
  JSON.stringify(Object.entries(constants).sort(([a], [b]) => (a < b ? -1 : 1)));
