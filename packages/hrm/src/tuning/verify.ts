/** Finds out whether this device computes what a model needs, before its answers are believed. */
import { adapterName, type Device, UserError } from '@hrm-webgpu/core';
import { launchKey, observeLaunches, remedyFor } from '@hrm-webgpu/kernels';
import { loadVerdicts, saveVerdicts } from '#tuning-store';
import type { HrmModel } from '../model/model.ts';

/**
 * Checks every kernel that a model is going to use against its float64 reference, at one awkward shape, unless that has been done
 * before with this adapter, driver and version. A kernel that is wrong is left out where its operation has another, which
 * is checked as well, and a line on the console says so. The checks are loaded only where something is to be checked.
 *
 * @param record does on the model's device, recorded, what it is going to do: {@link recordInference}, {@link recordTraining}
 * @throws UserError when a kernel is wrong and there is no other way to do what it does; the signal's reason when aborted
 */
export async function verifyKernels(
  model: HrmModel,
  record: (model: HrmModel) => void,
  signal?: AbortSignal,
): Promise<void> {
  const { device } = model;
  if (device.shaders) {
    const { checkReplacements } = await import('@hrm-webgpu/kernels/checks'); // taken apart so, bundles carry no more than that
    checkReplacements(device.shaders);
  }
  const verdicts = await loadVerdicts(device);
  let checked = 0;
  while (true) {
    const launched = observeLaunches(device, () => record(model));
    for (const one of launched) {
      if (verdicts[launchKey(one)] !== undefined) continue;
      signal?.throwIfAborted();
      const { selfCheck } = await import('@hrm-webgpu/kernels/checks');
      verdicts[launchKey(one)] = (await selfCheck(device, one)).problem ?? '';
      checked += 1;
    }
    const wrong = launched.filter((one) => verdicts[launchKey(one)]);
    const news = wrong.filter(({ kernel }) => !device.unfit.has(kernel.name));
    for (const one of news) leaveOut(device, one.kernel.name, verdicts[launchKey(one)]);
    if (news.length > 0) continue; // what replaces them is looked at next
    if (checked > 0) await saveVerdicts(device, verdicts);
    if (wrong.length === 0) return;
    const [{ kernel }] = wrong;
    throw new UserError(
      `${adapterName(device)} computes ${kernel.name} wrongly (${device.unfit.get(kernel.name)}), and there is no other ` +
        `way to do it. ${remedyFor([kernel], device)}`,
    );
  }
}

/** Takes a wrong kernel out of the choice, and says so. */
function leaveOut(device: Device, name: string, problem: string): void {
  device.unfit.set(name, problem);
  console.warn(`hrm-webgpu: ${name} computes wrongly on this adapter and is left out: ${problem}`);
}
