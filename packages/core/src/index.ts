export { DeviceLostError, GpuError, UserError } from './errors.ts';
export { Philox, type PhiloxState, philoxBlock } from './random.ts';
