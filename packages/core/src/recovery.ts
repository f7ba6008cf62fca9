import type { Device } from './device.ts';
import { DeviceLostError } from './errors.ts';

/** Milliseconds before each attempt in a row to open an adapter again: a driver that resets wants its time. */
const BACK_OFF_MS = [100, 1000, 5000];

/** Opens the adapter again; {@link openDevice} is one. */
export type Reopen = () => Promise<Device>;

/** Told that the GPU device was lost and is about to be opened again; `attempt` counts from 1, anew after any progress. */
export type OnDeviceLost = (error: DeviceLostError, attempt: number) => void;

/** Work that goes on after its device was lost, on a new one, at most three times without progress in between. */
export class Recovery {
  private attempts = 0;

  constructor(
    /** Undefined where a loss is the end. */
    private readonly reopen: Reopen | undefined,
    private readonly onDeviceLost: OnDeviceLost | undefined,
  ) {}

  /** Something was achieved: the next loss is the first again. */
  progress(): void {
    this.attempts = 0;
  }

  /**
   * Opens the adapter again after `error`, if it comes of a loss of `lost`, with all that is known of its kernels, and
   * has `restore` put on the new device what was on the old one.
   *
   * @throws whatever `error` is when it has another reason; DeviceLostError when there is no new device, or it was lost too
   */
  async recover(error: unknown, lost: Device, restore: (device: Device) => Promise<void>): Promise<void> {
    if (!this.reopen) throw error;
    let loss = await lost.lossBehind(error);
    if (!loss) throw error;
    while (this.attempts < BACK_OFF_MS.length) {
      const pause = BACK_OFF_MS[this.attempts++];
      this.onDeviceLost?.(loss, this.attempts);
      await new Promise((resolve) => setTimeout(resolve, pause));
      let device: Device;
      try {
        device = await openLike(lost, this.reopen);
      } catch (cause) {
        loss = new DeviceLostError(`${loss.message} Opened again: ${(cause as Error).message}`, { cause });
        continue;
      }
      try {
        return await restore(device);
      } catch (failure) {
        const next = await device.lossBehind(failure);
        device.close();
        if (!next) throw failure;
        loss = next;
      }
    }
    throw loss;
  }
}

/** The adapter of a device again: its kernels need not be checked and tuned anew. */
async function openLike(lost: Device, reopen: Reopen): Promise<Device> {
  const device = await reopen();
  const [before, now] = [lost, device].map(({ adapter }) => JSON.stringify(adapter));
  if (before !== now) {
    device.close();
    throw new Error(`there is only another adapter now (${now}), whose bits differ`);
  }
  device.shaders = lost.shaders;
  device.tuning.clear();
  for (const [key, choice] of lost.tuning) device.tuning.set(key, choice);
  for (const [kernel, problem] of lost.unfit) device.unfit.set(kernel, problem);
  return device;
}
