/** Single kernels on the inputs of their checks, verified before they are timed. */
import {
  type ConstantValues,
  type Device,
  type HostArray,
  type ParamValues,
  type Philox,
  type Tensor,
  UserError,
} from '@hrm-webgpu/core';
import { type Kernel, type KernelCheck, launch } from '@hrm-webgpu/kernels';
import {
  compareArrays,
  contentsFor,
  describeComparison,
  isRight,
  tensorsOf,
  tolerancesOf,
} from '@hrm-webgpu/kernels/checks';
import type { Candidate } from './timing.ts';

/** A kernel with parameters. */
export interface KernelCase<P extends ParamValues = ParamValues> {
  /** How the results call it. */
  name: string;
  /** The definition's, for inputs and the right result. */
  check: KernelCheck<P>;
  params: P;
  constants?: ConstantValues;
  /** How the engine does it, where it chooses among kernels; else the check's kernel is launched. */
  run?(tensors: Readonly<Record<string, Tensor>>): void;
  /** Compares the results with the right ones; where this is absent, the check's reference is computed in full. */
  verify?(run: Results): void;
}

/** What a kernel was given and what it wrote, by binding name. */
export interface Results {
  inputs: Readonly<Record<string, HostArray>>;
  outputs: Readonly<Record<string, HostArray>>;
  /** What an output may be off, relative to its largest element. */
  tolerance: (binding: string) => number;
}

/** A kernel ready to be timed, on tensors of its own. */
export interface KernelRun extends Candidate {
  /** Floating-point operations and bytes of one run; see {@link Kernel}. */
  flops: number;
  bytes: number;
  dispose(): void;
}

/**
 * Makes inputs for a kernel, runs it once and compares everything that it writes with float64.
 *
 * @throws UserError naming the first binding whose contents are wrong
 */
export async function prepareKernel(
  device: Device,
  { name, check, params, constants = {}, run: engineRun, verify }: KernelCase,
  random: Philox,
): Promise<KernelRun> {
  const { kernel }: { kernel: Kernel<ParamValues> } = check;
  const inputs = contentsFor(check, params, random);
  const tensors = tensorsOf(device, inputs);
  const run = () => (engineRun ? engineRun(tensors) : launch(device, kernel, tensors, params, constants));
  const dispose = () => {
    for (const tensor of Object.values(tensors)) tensor.dispose();
  };
  run();
  const tolerance = await tolerancesOf(device, check, params);
  if (verify) {
    const outputs: Record<string, HostArray> = {};
    for (const binding of Object.keys(check.outputs(params)))
      outputs[binding] = await tensors[binding].read();
    verify({ inputs, outputs, tolerance });
  } else {
    const reference = check.reference(inputs, params, constants);
    for (const [binding, expected] of Object.entries(reference)) {
      compare(`${name}: ${binding}`, await tensors[binding].read(), expected, tolerance(binding));
    }
  }
  return { name, run, dispose, flops: kernel.flops(params), bytes: kernel.bytes(params) };
}

/**
 * Compares all elements with exact ones: all must be within `tolerance` relative to the largest exact one.
 *
 * @throws UserError naming the element that is furthest off
 */
export function compare(name: string, actual: HostArray, expected: Float64Array, tolerance: number): void {
  const comparison = compareArrays(name, actual, expected, tolerance);
  if (isRight(comparison)) return;
  throw new UserError(`${describeComparison(comparison)}. Nothing was timed.`);
}
