import { type Device, openDevice } from '@hrm-webgpu/core';
import { loadTuning } from '../tuning-store.node.ts';

/** The option of commands whose speed depends on tuning. */
export const TUNING_OPTION = { 'no-tune': { type: 'boolean', default: false } } as const;

export const TUNING_HELP = `  --no-tune            do without what 'hrm tune' found out about this adapter`;

/** Opens the adapter, with its tuning record unless the user does without. */
export async function openTunedDevice({ 'no-tune': noTune }: { 'no-tune': boolean }): Promise<Device> {
  const device = await openDevice();
  try {
    if (!noTune) await loadTuning(device);
    return device;
  } catch (error) {
    device.close();
    throw error;
  }
}
