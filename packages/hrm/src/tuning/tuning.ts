/** Tuning records: which kernels, with which settings, were found best on an adapter. */
import { type AdapterDescription, adapterName, type Choice, type Device, UserError } from '@hrm-webgpu/core';
import { shaderNames, shadersVersion } from '@hrm-webgpu/kernels';

/** What the bits of a run depend on besides seed and data: the adapter and how operations are done on it. */
export interface TuningRecord {
  adapter: string;
  class: AdapterDescription['class'];
  subgroupMinSize: number;
  /** By operation and shape; what is not listed is done in the standard way of the class. */
  choices: Record<string, Choice>;
}

/** The record of a device as it is now. */
export function tuningRecord(device: Device): TuningRecord {
  const { class: adapterClass, subgroupMinSize } = device.adapter;
  const choices = Object.fromEntries(device.tuning);
  return { adapter: adapterName(device), class: adapterClass, subgroupMinSize, choices };
}

/** Makes a device do operations as a record says. */
export function applyChoices(device: Device, choices: Readonly<Record<string, Choice>>): void {
  device.tuning.clear();
  for (const [key, choice] of Object.entries(choices)) device.tuning.set(key, choice);
}

/**
 * Makes a device do operations as the run did that a record is of; on another adapter as is standard there, since what
 * was found best elsewhere may be slow, or wrong, here.
 *
 * @param ignore leaves the choices out on the same adapter too
 * @returns what a user should know: why the run's bits differ from here on, if they do
 */
export function takeOver(device: Device, record: TuningRecord, ignore = false): string | undefined {
  const own = tuningRecord(device);
  const count = Object.keys(record.choices).length;
  const same =
    record.adapter === own.adapter &&
    record.class === own.class &&
    record.subgroupMinSize === own.subgroupMinSize;
  if (same && !ignore) {
    applyChoices(device, record.choices);
    return unknownKernels(record);
  }
  if (same && count === 0) return undefined;
  const dropped =
    count === 0 ? '' : `its ${count} tuned choice${count === 1 ? ' is' : 's are'} left out, and `;
  if (same) return `note: ${dropped}the bits of this run differ from here on`;
  return `note: this run was on ${describe(record)}, this is ${describe(own)}: ${dropped}its bits differ from here on`;
}

/** What to say of choices that were made by another version: an operation does without them, in the standard way. */
function unknownKernels({ choices }: TuningRecord): string | undefined {
  const unknown = Object.values(choices).find(({ kernel }) => !shaderNames.includes(kernel));
  if (!unknown) return undefined;
  return (
    `note: this run used the kernel '${unknown.kernel.slice(0, 40)}', which this version does not have: ` +
    'its bits differ from here on'
  );
}

function describe({ adapter, class: adapterClass, subgroupMinSize }: TuningRecord): string {
  return `'${adapter}' (${adapterClass}, subgroups of ${subgroupMinSize})`;
}

/** @throws UserError naming `where` when `value` is no set of choices */
export function parseChoices(value: unknown, where: string): Record<string, Choice> {
  const bad = (what: string) =>
    new UserError(`${where}: ${what}; remove it and run 'hrm tune' again, or use --no-tune`);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw bad('it holds no tuning record');
  for (const [key, choice] of Object.entries(value as Record<string, Partial<Choice> | null>)) {
    const settings = choice?.settings;
    const sound =
      typeof choice?.kernel === 'string' &&
      typeof settings === 'object' &&
      settings !== null &&
      Object.values(settings).every((setting) => Number.isSafeInteger(setting) && setting > 0);
    if (!sound) throw bad(`its entry '${key.slice(0, 80)}' is damaged`);
  }
  return value as Record<string, Choice>;
}

/** Verdicts on kernels as a store kept them; nothing where it is something else. */
export function parseVerdicts(value: unknown): Record<string, string> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

/** Tells records apart that must not be mixed: adapter with driver, limits, platform, and the text of all kernels. */
export function tuningIdentity(device: Device, platform: string): string {
  const { adapter, limits, shaders } = device;
  return JSON.stringify({
    adapter,
    limits,
    platform,
    kernels: shadersVersion,
    shaders: shaders && [...shaders],
  });
}
