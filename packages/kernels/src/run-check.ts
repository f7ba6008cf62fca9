/** Runs a check: a kernel on one case, compared with its float64 reference. */
import {
  type ConstantValues,
  type Device,
  type HostArray,
  type ParamValues,
  Philox,
  Tensor,
} from '@hrm-webgpu/core';
import type { HostArrays, KernelCheck } from './check.ts';
import { launch } from './kernel.ts';

/** The element of a result that is furthest from what is allowed. */
export interface WorstElement {
  binding: string;
  at: number;
  actual: number;
  expected: number;
  /** |actual − expected| */
  error: number;
  /** What the check allows for this binding. */
  allowed: number;
}

/** What a kernel's buffers hold before it runs: its inputs, and in what it writes junk that would show if it stayed there. */
export function contentsFor(
  check: KernelCheck<ParamValues>,
  params: ParamValues,
  random: Philox,
): HostArrays {
  const contents = { ...check.inputs(params, random) };
  for (const [name, size] of Object.entries(check.outputs(params)))
    contents[name] = check.integers?.includes(name)
      ? new Int32Array(size).fill(-7)
      : new Float32Array(size).fill(12345.678);
  return contents;
}

/** Tensors with these contents. */
export function tensorsOf(device: Device, contents: HostArrays): Record<string, Tensor> {
  const entries = Object.entries(contents);
  return Object.fromEntries(entries.map(([name, data]) => [name, Tensor.from(device, data)]));
}

/** The worst element of one result; a NaN is worse than any other, and so is an element too few. */
export function worstElement(
  binding: string,
  actual: HostArray,
  expected: Float64Array,
  tolerance: number,
): WorstElement {
  const allowed = tolerance * expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-30);
  let worst = { at: 0, error: -1 };
  for (let at = 0; at < expected.length; at++) {
    const error = Math.abs(actual[at] - expected[at]);
    if (!(error <= worst.error) && !Number.isNaN(worst.error)) worst = { at, error };
  }
  return { binding, ...worst, actual: actual[worst.at], expected: expected[worst.at], allowed };
}

/** Whether an element is within what is allowed; NaN never is. */
export function isRight({ error, allowed }: WorstElement): boolean {
  return error <= allowed;
}

/** What is wrong with an element, for a message. */
export function describeWorst({ binding, at, actual, expected, allowed }: WorstElement): string {
  return `${binding}[${at}] is ${actual}, expected ${expected} within ${allowed.toExponential(1)}`;
}

/**
 * Runs one case of a check and compares everything that the kernel writes with the reference; the worst element of each
 * result, those that are wrong first.
 *
 * @param constants as of {@link launch}: they overrule the kernel's defaults
 */
export async function runCheck(
  device: Device,
  check: KernelCheck<ParamValues>,
  params: ParamValues,
  constants: ConstantValues = {},
): Promise<WorstElement[]> {
  const contents = contentsFor(check, params, new Philox(1));
  const tensors = tensorsOf(device, contents);
  try {
    launch(device, check.kernel, tensors, params, constants);
    const reference = check.reference(contents, params, constants);
    const results: WorstElement[] = [];
    for (const [name, expected] of Object.entries(reference)) {
      const tolerance = check.integers?.includes(name) ? 0 : check.tolerance(params);
      results.push(worstElement(name, await tensors[name].read(), expected, tolerance));
    }
    return results.sort((a, b) => Number(isRight(a)) - Number(isRight(b)));
  } finally {
    for (const tensor of Object.values(tensors)) tensor.dispose();
  }
}
