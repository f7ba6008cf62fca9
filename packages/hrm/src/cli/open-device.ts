import { type Device, openDevice } from '@hrm-webgpu/core';
import type { HrmModel } from '../model/model.ts';
import { loadTuning } from '../tuning/tuning-store.node.ts';
import { operationsOf, type Workload } from '../tuning/tuning-uses.ts';
import { say } from './terminal.ts';

/** The option of commands whose speed depends on tuning. */
export const TUNING_OPTION = { 'no-tune': { type: 'boolean', default: false } } as const;

export const TUNING_HELP = `  --no-tune            do without what 'hrm tune' found out about this adapter`;

/**
 * Opens the adapter, with its tuning record unless the user does without.
 *
 * @throws UserError where there is no adapter, or the record is damaged
 */
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

/** Says how many operations of what is about to run the tuning record covers; nothing where there is no record. */
export function announceTuning(model: HrmModel, workload: Workload): void {
  const { tuning } = model.device;
  if (tuning.size === 0) return;
  const keys = [...operationsOf(model, workload).keys()];
  const tuned = keys.filter((key) => tuning.has(key)).length;
  const advice = tuned < keys.length ? "; 'hrm tune' for this model, data and batch does the rest" : '';
  say(`tuning: ${tuned} of the ${keys.length} operations used are tuned${advice}`);
}
