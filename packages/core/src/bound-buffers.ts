import type { PooledBuffer } from './buffer-pool.ts';
import type { Device } from './device.ts';
import { UserError } from './errors.ts';
import type { ShaderBinding } from './shader.ts';
import type { Tensor } from './tensor.ts';

/**
 * The buffers of a launch, in the order of the shader's bindings. What WebGPU would refuse later, and fail the device for, is
 * refused here.
 *
 * @throws UserError when a binding is missing or unknown, a tensor is another device's, or one that is written is bound twice
 */
export function boundBuffers(
  device: Device,
  name: string,
  bindings: readonly ShaderBinding[],
  tensors: Readonly<Record<string, Tensor>>,
): PooledBuffer[] {
  const buffers = bindings.map((binding) => {
    const tensor = tensors[binding.name];
    if (!tensor) throw new UserError(`${name}: no tensor given for binding '${binding.name}'`);
    if (tensor.device !== device)
      throw new UserError(`${name}: ${tensor}, for '${binding.name}', is of another device`);
    return tensor.buffer;
  });
  if (Object.keys(tensors).length !== bindings.length) {
    const names = bindings.map((binding) => binding.name).join(', ');
    throw new UserError(
      `${name}: got tensors for ${Object.keys(tensors).join(', ')}; its bindings are ${names}`,
    );
  }
  for (const [i, binding] of bindings.entries()) {
    if (binding.access === 'read' || buffers.indexOf(buffers[i]) === buffers.lastIndexOf(buffers[i]))
      continue;
    throw new UserError(`${name}: '${binding.name}' is written, and its memory bound twice`);
  }
  return buffers;
}
