/**
 * Operations that can be done in more than one way: by several kernels, each with tunables. Which way is taken is decided
 * by the device's tuning record where it has an entry for the shape (see tuner.ts), else by the adapter's class.
 */
import {
  type AdapterDescription,
  type Choice,
  type Device,
  type ParamValues,
  parseShader,
  type Tensor,
  UserError,
} from '@hrm-webgpu/core';
import { type Kernel, type KernelHost, launch, onDevice, suits } from './kernel.ts';

/** Kernels that compute the same from the same bindings and parameters. */
export interface Operation<P extends ParamValues> {
  name: string;
  /** In the order of preference. */
  kernels: readonly Kernel<P>[];
  /** What is done without a record; where this gives nothing, the first kernel that suits the adapter. */
  standard?(adapter: AdapterDescription, params: P): Choice | undefined;
  /** Settings besides the tunables of a kernel, with the values worth trying; the first is what holds without it. */
  settings?(kernel: Kernel<P>, params: P): Readonly<Record<string, readonly number[]>>;
  /** Does it; a plain launch unless a choice needs more. */
  run?(device: Device, choice: Choice, tensors: Readonly<Record<string, Tensor>>, params: P): void;
}

/** How an operation is done without a record. */
export function standardChoice<P extends ParamValues>(
  operation: Operation<P>,
  host: KernelHost,
  params: P,
): Choice {
  const standard = operation.standard?.(host.adapter, params);
  if (standard && !host.unfit.has(standard.kernel)) return standard;
  const kernel = operation.kernels.find((candidate) => suits(candidate, host));
  if (kernel) return { kernel: kernel.name, settings: {} };
  const wrong = operation.kernels.map(({ name }) => host.unfit.get(name)).find((problem) => problem);
  throw new UserError(
    `${operation.name}: ${host.adapter.description || 'this adapter'} has no kernel for it that computes correctly` +
      `${wrong ? ` (${wrong})` : ''}. ${remedyFor(operation.kernels, host)}`,
  );
}

/** What to do where kernels compute wrongly: those that the device was opened with are to blame themselves. */
export function remedyFor(kernels: readonly { name: string }[], { shaders }: KernelHost): string {
  const given = kernels.find(({ name }) => shaders?.has(name));
  if (given) return `${given.name}.wgsl is one of the shaders given for ours: mend it, or leave it out.`;
  return 'Update its driver, or use another adapter.';
}

/** An operation met at a shape. */
export interface Use {
  operation: Operation<ParamValues>;
  params: ParamValues;
}

/** An operation on its tensors. */
export interface OperationCall extends Use {
  tensors: Readonly<Record<string, Tensor>>;
}

/** Stands between the ops and an operation: `perform` does it, on these tensors or on others. */
export type Interceptor = (call: OperationCall, perform: (call: OperationCall) => void) => void;

const interceptors = new WeakMap<Device, Interceptor>();

/** Runs `body`; what operations it does on the device pass through `interceptor`. */
export function interceptOperations<T>(device: Device, interceptor: Interceptor, body: () => T): T {
  interceptors.set(device, interceptor);
  try {
    return body();
  } finally {
    interceptors.delete(device);
  }
}

/** Runs `body` and returns the operations, with their shapes, that it does on the device; each once. */
export function observeOperations(device: Device, body: () => void): Map<string, Use> {
  const uses = new Map<string, Use>();
  const note: Interceptor = (call, perform) => {
    const { operation, params } = call;
    uses.set(tuningKey(operation.name, params), { operation, params });
    perform(call);
  };
  interceptOperations(device, note, body);
  return uses;
}

/**
 * Does an operation in the way that was found best for the device and shape. A record of another adapter or version may
 * name what this one does not have: then in the standard way.
 */
export function run<P extends ParamValues>(
  device: Device,
  operation: Operation<P>,
  tensors: Readonly<Record<string, Tensor>>,
  params: P,
): void {
  const call = { operation: operation as unknown as Operation<ParamValues>, tensors, params };
  const interceptor = interceptors.get(device);
  if (interceptor) interceptor(call, (other) => perform(device, other));
  else perform(device, call);
}

function perform(device: Device, { operation, tensors, params }: OperationCall): void {
  const recorded = device.tuning.size > 0 ? device.tuning.get(tuningKey(operation.name, params)) : undefined;
  const choice =
    recorded && canFollow(recorded, operation, device, params)
      ? recorded
      : standardChoice(operation, device, params);
  runChoice(device, operation, choice, tensors, params);
}

/** Whether the operation has the kernel of a choice, with its settings, and the adapter can run it. */
function canFollow<P extends ParamValues>(
  choice: Choice,
  operation: Operation<P>,
  device: Device,
  params: P,
): boolean {
  const kernel = operation.kernels.find(({ name }) => name === choice.kernel);
  if (!kernel || !suits(kernel, device)) return false;
  const { constants } = parseShader(kernel.name, onDevice(kernel, device).text);
  const settings = operation.settings?.(kernel, params) ?? {};
  return Object.keys(choice.settings).every((name) => constants.has(name) || Object.hasOwn(settings, name));
}

/**
 * Does an operation in a given way.
 *
 * @throws Error when the operation has no such kernel
 */
export function runChoice<P extends ParamValues>(
  device: Device,
  operation: Operation<P>,
  choice: Choice,
  tensors: Readonly<Record<string, Tensor>>,
  params: P,
): void {
  if (operation.run) operation.run(device, choice, tensors, params);
  else launch(device, kernelOf(operation, choice), tensors, params, choice.settings);
}

/** @throws Error when the operation has no such kernel */
export function kernelOf<P extends ParamValues>(operation: Operation<P>, { kernel }: Choice): Kernel<P> {
  const found = operation.kernels.find(({ name }) => name === kernel);
  if (found) return found;
  throw new Error(`${operation.name}: there is no kernel '${kernel}'`);
}

/** What a record calls an operation at a shape, e.g. `matmul m=656 n=512 k=512 …`. */
export function tuningKey(operation: string, params: ParamValues): string {
  return [operation, ...Object.entries(params).map(([name, value]) => `${name}=${value}`)].join(' ');
}
