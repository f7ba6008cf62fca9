import { type Device, Tensor, UserError } from '@hrm-webgpu/core';

/** The device of an optimiser's parameters. */
export function deviceOf(optimizer: string, parameters: readonly Tensor[]): Device {
  const [first] = Array.isArray(parameters) ? parameters : [];
  if (!(first instanceof Tensor)) throw new UserError(`${optimizer}: expected an array of parameters`);
  const wrong = parameters.find(({ dtype, requiresGrad }) => dtype !== 'f32' || !requiresGrad);
  if (!wrong) return first.device;
  throw new UserError(
    `${optimizer}: ${wrong} is no parameter: expected f32 tensors made with requiresGrad, ` +
      'as by Tensor.from(device, data, shape, true)',
  );
}

/** Zeros like each parameter, which outlive all scopes. */
export function zerosLike(device: Device, parameters: readonly Tensor[]): Tensor[] {
  return device.unscoped(() =>
    parameters.map(({ size, shape }) => Tensor.from(device, new Float32Array(size), shape)),
  );
}

/** A single number that outlives all scopes, set before the next step. */
export function scalarOf(device: Device, value: number): Tensor {
  return device.unscoped(() => Tensor.from(device, Float32Array.of(value)));
}

/** @throws UserError when there is none, or one of another shape */
export function gradientOf(
  optimizer: string,
  parameter: Tensor,
  gradients: ReadonlyMap<Tensor, Tensor>,
): Tensor {
  if (!(gradients instanceof Map)) throw new UserError(`${optimizer}: step takes what backward gave`);
  const gradient = gradients.get(parameter);
  if (gradient) return gradient;
  throw new UserError(
    `${optimizer}: ${parameter} has no gradient: nothing that was differentiated was computed from it`,
  );
}

/** @throws UserError when an option is no number from `least` up to, but without, `end` */
export function checkOption(
  optimizer: string,
  name: string,
  value: number,
  least: number,
  end: number = Number.POSITIVE_INFINITY,
): void {
  if (typeof value === 'number' && value >= least && value < end) return;
  const range = end === Number.POSITIVE_INFINITY ? `from ${least} up` : `from ${least} to below ${end}`;
  throw new UserError(`${optimizer}: ${name} is ${value}, expected a number ${range}`);
}
