import type { Device } from '@hrm-webgpu/core';
import type { Tuned } from '@hrm-webgpu/kernels/checks';
import type { Use } from '@hrm-webgpu/kernels/operation';

export type { Tuned } from '@hrm-webgpu/kernels/checks';

/**
 * Finds the fastest way to do each operation at its shape on a device, one after the other; every way is checked before it
 * is timed. The device does the operation that way from then on; {@link saveTuning} keeps what has been found for later.
 * Takes seconds to minutes: keep the machine otherwise idle meanwhile. The tuner and the kernels' float64 references are
 * loaded when this is called.
 *
 * @param uses as {@link operationsOf} gives them
 * @param signal takes effect between two operations
 * @throws Error when the standard way of an operation computes wrongly on this device; the signal's reason when aborted
 */
export async function* tuneOperations(
  device: Device,
  uses: Iterable<Use>,
  signal?: AbortSignal,
): AsyncGenerator<Tuned, void> {
  const { checks, tune } = await import('@hrm-webgpu/kernels/checks');
  for (const use of uses) {
    signal?.throwIfAborted();
    const tuned = await tune(device, use, async (kernel) => checks[kernel]);
    device.tuning.set(tuned.key, tuned.choice);
    device.trim();
    yield tuned;
  }
}
