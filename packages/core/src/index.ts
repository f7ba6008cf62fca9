export type { MemoryStats } from './buffer-pool.ts';
export { type AdapterDescription, Device, type Launch, openDevice, wrapDevice } from './device.ts';
export { DeviceLostError, GpuError, UserError } from './errors.ts';
export type { KernelTime, Work } from './profiler.ts';
export type { ParamValues, ShaderSource } from './program.ts';
export { Philox, type PhiloxState, philoxBlock } from './random.ts';
export { type ConstantValues, parseShader, type ShaderInterface, specialize } from './shader.ts';
export type { AddGradients, GradientRule, Root, Tape } from './tape.ts';
export { type DType, type HostArray, type Shape, sizeOf, Tensor } from './tensor.ts';
