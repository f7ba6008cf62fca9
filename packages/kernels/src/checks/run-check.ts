/** Runs a check: a kernel on one case, between guard zones, compared with its float64 reference. */
import {
  type ConstantValues,
  type Device,
  type HostArray,
  launchGuarded,
  type ParamValues,
  Philox,
  type Shape,
  sizeOf,
  Tensor,
} from '@hrm-webgpu/core';
import { GRID, planLaunch } from '../kernel.ts';
import { tolerancesOf } from './builtin-errors.ts';
import type { HostArrays, KernelCheck } from './check.ts';
import { type Comparison, compareArrays, describeComparison, isRight } from './compare.ts';
import { instrumentedOf, NOTES, ORDER_PARAM, readNotes } from './instrumented.ts';

/** What came of a case. */
export interface CheckResult {
  /** Of everything that the kernel writes. */
  comparisons: Comparison[];
  /** What was used outside of the arrays, if anything was. */
  trespass?: string;
  /** Why it does not compile; then it did not run. */
  refused?: string;
  /** Whether the workgroups ran in reverse: a case that is wrong only then is right in ascending order. */
  reversed?: boolean;
}

/** How a case is run. */
export interface CheckOptions {
  /** As of `launch`: they overrule the kernel's defaults. */
  constants?: ConstantValues;
  /** With the grid folded, as long ones are. */
  folded?: boolean;
  /** Which of the check's hard inputs; its common ones without. */
  hard?: string;
  /**
   * Runs the kernel as it stands, once, with the very pipeline that computing uses and between guard zones. Else it is made
   * to note every index that is out of bounds, and runs twice: in ascending and in descending order.
   */
  asLaunched?: boolean;
  /** Which draw of the inputs; default 1. */
  seed?: number;
}

/** What a kernel's buffers hold before it runs: its inputs, and in what it writes junk that would show if it stayed there. */
export function contentsFor(
  check: KernelCheck<ParamValues>,
  params: ParamValues,
  random: Philox,
  hard?: string,
): HostArrays {
  const contents = { ...check.inputs(params, random), ...(hard && check.hard?.(params, random)[hard]()) };
  for (const [name, shape] of Object.entries(check.outputs(params)))
    contents[name] = check.integers?.includes(name)
      ? new Int32Array(sizeOf(shape)).fill(-7)
      : new Float32Array(sizeOf(shape)).fill(12345.678);
  return contents;
}

/** What a check's hard inputs are called. */
export function hardInputsOf(check: KernelCheck<ParamValues>): string[] {
  return Object.keys(check.hard?.(check.cases[0], new Philox(1)) ?? {});
}

/** Tensors with these contents. */
export function tensorsOf(device: Device, contents: HostArrays): Record<string, Tensor> {
  const entries = Object.entries(contents);
  return Object.fromEntries(entries.map(([name, data]) => [name, Tensor.from(device, data)]));
}

/** Runs one case of a check and compares everything that the kernel writes with the reference. */
export async function runCheck(
  device: Device,
  check: KernelCheck<ParamValues>,
  params: ParamValues,
  { constants: overrides = {}, folded = false, hard, asLaunched = false, seed = 1 }: CheckOptions = {},
): Promise<CheckResult> {
  const { kernel } = check;
  const contents = contentsFor(check, params, new Philox(seed), hard);
  const expected = check.reference(contents, params, overrides);
  const tolerance = await tolerancesOf(device, check, params, hard);
  const compare = (arrays: Readonly<Record<string, HostArray>>) =>
    compared(check, params, arrays, expected, tolerance);
  const plan = () => planLaunch(kernel, params, overrides, device.adapter.class);
  const { constants, params: all, workgroups } = folded ? foldedGrid(plan) : plan();
  const launched = { params: all, workgroups };
  if (asLaunched) {
    const program = device.program(kernel, constants);
    const refused = await program.attempt();
    if (refused) return { comparisons: [], refused }; // running it would fail the device
    const { arrays, trespass } = await launchGuarded(device, program, { ...launched, contents });
    return { comparisons: compare(arrays), trespass };
  }
  const program = device.program(instrumentedOf(kernel, device), constants);
  const refused = await program.attempt();
  if (refused) return { comparisons: [], refused };
  const names = program.shader.bindings.map(({ name }) => name);
  const notes = names.includes(NOTES); // else there are guard zones
  let result: CheckResult = { comparisons: [] };
  for (const reversed of [false, true]) {
    const { arrays, trespass } = await launchGuarded(device, program, {
      ...launched,
      contents: { ...contents, [NOTES]: new Uint32Array(names.length) },
      params: { ...all, [ORDER_PARAM]: Number(reversed) },
      exact: notes,
    });
    const noted = notes ? readNotes(arrays[NOTES], names) : trespass;
    result = { comparisons: compare(arrays), trespass: noted, reversed };
    if (problemOf(result)) break;
  }
  return result;
}

/** What `plan` comes to where no dimension of a grid may have more than two workgroups. */
function foldedGrid<T>(plan: () => T): T {
  const { widest } = GRID;
  GRID.widest = 2;
  try {
    return plan();
  } finally {
    GRID.widest = widest;
  }
}

/** What is wrong with a case, in a line; undefined where all is right. */
export function problemOf({ comparisons, trespass, refused, reversed }: CheckResult): string | undefined {
  if (refused) return refused;
  const wrong = comparisons.filter((comparison) => !isRight(comparison));
  if (wrong.length === 0 && !trespass) return undefined;
  const problems = [...wrong.map(describeComparison), ...(trespass ? [trespass] : [])];
  return `${reversed ? 'with the workgroups in reverse order, ' : ''}${problems.join('; ')}`;
}

function compared(
  check: KernelCheck<ParamValues>,
  params: ParamValues,
  arrays: Readonly<Record<string, HostArray>>,
  expected: Record<string, Float64Array>,
  tolerance: (binding: string) => number,
): Comparison[] {
  const shapes: Record<string, Shape> = { ...check.inPlace?.(params), ...check.outputs(params) };
  return Object.entries(expected).map(([name, values]) =>
    compareArrays(name, arrays[name], values, tolerance(name), shapes[name]),
  );
}
