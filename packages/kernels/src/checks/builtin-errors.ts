/**
 * How exact an adapter's built-in functions are. WGSL allows exp to be off by 3 + 2·|x| ULP and log by 2⁻²¹; some adapters
 * take all of it and some round correctly. A tolerance that leaves room for what is allowed finds nothing where that is not
 * taken; so it is measured, by one launch, and tolerances leave room for that.
 */
import { type Device, type ParamValues, Philox, Tensor } from '@hrm-webgpu/core';
import { builtins, builtinsInputs, builtinsReference } from '../defs/builtins.ts';
import { launch } from '../kernel.ts';
import type { BuiltinErrors, KernelCheck } from './check.ts';

/** What WGSL allows, in roundoffs: an ULP is up to two of them. */
const ALLOWED = { exp: (x: number) => 2 * (3 + 2 * x), log: 8, division: 5, sqrt: 9, inverseSqrt: 4 };
/** Arguments that kernels meet in their checks, about. */
const EXTENT = 20;
const COUNT = 4096;

const measured = new WeakMap<Device, Promise<BuiltinErrors>>();

/** The errors of a device's built-in functions, measured once. */
export function builtinErrorsOf(device: Device): Promise<BuiltinErrors> {
  const known = measured.get(device) ?? measure(device);
  measured.set(device, known);
  return known;
}

/** What each output of a check may be off on a device, by the binding's name, as {@link KernelCheck.tolerance} says. */
export async function tolerancesOf<P extends ParamValues>(
  device: Device,
  check: KernelCheck<P>,
  params: P,
  hard?: string,
): Promise<(binding: string) => number> {
  const allowed = check.tolerance(params, await builtinErrorsOf(device), hard);
  return (binding) => {
    if (check.integers?.includes(binding)) return 0;
    return typeof allowed === 'number' ? allowed : allowed[binding];
  };
}

async function measure(device: Device): Promise<BuiltinErrors> {
  const inputs = builtinsInputs(new Philox(3), COUNT, EXTENT);
  const expected = builtinsReference(inputs.x, inputs.y);
  const tensors: Record<string, Tensor> = Object.fromEntries([
    ...Object.entries(inputs).map(([name, data]) => [name, Tensor.from(device, data)]),
    ...Object.keys(expected).map((name) => [name, Tensor.empty(device, [COUNT])]),
  ]);
  launch(device, builtins, tensors, { length: COUNT });
  /** The largest error of one as a share of what `allowed` says of an element: at least that of rounding. */
  const share = async (name: keyof typeof expected, allowed: (i: number) => number, least = 0) => {
    const actual = await tensors[name].read();
    let largest = 0;
    for (const [i, value] of expected[name].entries()) {
      const off = Math.abs(actual[i] - value) / Math.max(least, Math.abs(value)) / 2 ** -24;
      largest = Math.max(largest, Math.max(off, 1) / allowed(i));
    }
    return Math.min(1, largest);
  };
  try {
    const exp = await share('exponential', (i) => ALLOWED.exp(Math.abs(inputs.x[i])));
    return {
      exp: (x) => exp * ALLOWED.exp(x),
      log: ALLOWED.log * (await share('logarithm', () => ALLOWED.log, 1)),
      division: ALLOWED.division * (await share('quotient', () => ALLOWED.division)),
      sqrt: ALLOWED.sqrt * (await share('root', () => ALLOWED.sqrt)),
      inverseSqrt: ALLOWED.inverseSqrt * (await share('inverse_root', () => ALLOWED.inverseSqrt)),
    };
  } finally {
    for (const tensor of Object.values(tensors)) tensor.dispose();
  }
}
