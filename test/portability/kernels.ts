/** Kernels against float64, in any host. */
import type { Device, ParamValues } from '@hrm-webgpu/core';
import { type KernelCheck, problemOf, runCheck } from '@hrm-webgpu/kernels/checks';

/** The cases of each kernel that are checked: those of this one of so many slices. */
export interface Slice {
  index: number;
  of: number;
}

/** The cases of a slice of a check, in every constant that they use: how many, and what is wrong. */
export async function checkKernel(device: Device, check: KernelCheck<ParamValues>, slice: Slice) {
  const { name, needs } = check.kernel;
  const failures: string[] = [];
  if (needs && !needs(device.adapter)) {
    const lanes = device.adapter.subgroupMinSize || 'no';
    return {
      count: 0,
      failures,
      skipped: `${name}: subgroups of 8 lanes are needed, the adapter has ${lanes} lanes`,
    };
  }
  const cases = casesOf(check, device, slice);
  for (const { params, constants } of cases) {
    const wrong = problemOf(await runCheck(device, check, params, { constants, asLaunched: true }));
    if (wrong) failures.push(`${name} ${JSON.stringify(params)} ${JSON.stringify(constants)}: ${wrong}`);
  }
  return { count: cases.length, failures, skipped: undefined };
}

/**
 * The cases of a slice. Those that share a pipeline stay together, since compiling is what takes time, and a slice has at
 * least one pipeline of each kernel.
 */
function casesOf(check: KernelCheck<ParamValues>, device: Device, { index, of }: Slice) {
  const all = check.cases.flatMap((params) =>
    [{}, ...(check.variants ?? [])].map((constants) => ({ params, constants })),
  );
  const pipelines = new Map<string, typeof all>();
  for (const one of all) {
    const key = JSON.stringify({
      ...check.kernel.constants?.(one.params, device.adapter.class),
      ...one.constants,
    });
    pipelines.set(key, [...(pipelines.get(key) ?? []), one]);
  }
  return [...pipelines.values()].filter((_, i, { length }) => i % of === index % Math.min(of, length)).flat();
}
