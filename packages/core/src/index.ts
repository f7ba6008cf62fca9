/// <reference lib="esnext.disposable" preserve="true" />
export {
  type AdapterDescription,
  adapterName,
  type DeviceOptions,
  OPTIONAL_FEATURES,
  openDevice,
  RAISED_LIMITS,
  wrapDevice,
} from './adapter.ts';
export { backward, type Root } from './backward.ts';
export type { MemoryStats } from './buffer-pool.ts';
export { type Choice, Device, type Launch } from './device.ts';
export { DeviceLostError, GpuError, UserError } from './errors.ts';
export { type GuardedLaunch, launchGuarded } from './guarded.ts';
export type { DeviceLimits } from './limits.ts';
export type { Plan } from './plan.ts';
export { printable } from './printable.ts';
export { type KernelTime, startProfile, type Work } from './profiler.ts';
export type { ParamValues, Program, ShaderSource } from './program.ts';
export { Philox, type PhiloxState, philoxBlock } from './random.ts';
export { type OnDeviceLost, Recovery, type Reopen } from './recovery.ts';
export { type ConstantValues, parseShader, type ShaderInterface, specialize } from './shader.ts';
export type { Division } from './submits/division.ts';
export type { GradientRule, Gradients, Recorded, Tape } from './tape.ts';
export { type DType, expectTensor, type HostArray, type Shape, sizeOf, Tensor } from './tensor.ts';
