import { type Device, openDevice } from '@hrm-webgpu/core';
import type { HrmModel } from '../model/model.ts';
import { readShaders } from '../tuning/shader-folder.node.ts';
import { loadTuning } from '../tuning/tuning-store.node.ts';
import { operationsOf, type Workload } from '../tuning/tuning-uses.ts';
import { wholeNumber } from './command.ts';
import { say } from './terminal.ts';

/** The options of commands that keep the GPU busy. */
export const DEVICE_OPTIONS = {
  'no-tune': { type: 'boolean', default: false },
  'submit-ms': { type: 'string' },
  shaders: { type: 'string' },
} as const;

export const DEVICE_HELP = `  --no-tune            do without what 'hrm tune' found out about this adapter
  --submit-ms N        keep the GPU busy no longer than N ms at a time; default 100, less keeps a desktop smoother
  --shaders DIR        kernels from the .wgsl files of a folder instead of our own; those that are not there are ours`;

/** Their values. */
export interface DeviceValues {
  'no-tune': boolean;
  'submit-ms'?: string;
  shaders?: string;
}

/** @throws UserError for anything but a whole number */
export function submitMsOf({ 'submit-ms': text }: Pick<DeviceValues, 'submit-ms'>): number | undefined {
  return wholeNumber('submit-ms', text);
}

/**
 * Opens the adapter as the command line says.
 *
 * @throws UserError where there is no adapter, an option is wrong or a folder of shaders is
 */
export async function openGivenDevice(values: Partial<DeviceValues>): Promise<Device> {
  const submitMs = submitMsOf(values);
  const shaders = values.shaders === undefined ? undefined : await readShaders(values.shaders);
  return openDevice({ submitMs, shaders });
}

/**
 * Opens the adapter, with its tuning record unless the user does without.
 *
 * @throws UserError where there is no adapter, an option is wrong or the record is damaged
 */
export async function openTunedDevice(values: DeviceValues): Promise<Device> {
  const device = await openGivenDevice(values);
  try {
    if (!values['no-tune']) await loadTuning(device);
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
