import { type Device, type OnDeviceLost, Recovery, type Reopen } from '@hrm-webgpu/core';
import { blobSource } from '../formats/files/byte-source.ts';
import { openSafetensors } from '../formats/safetensors.ts';
import { type CheckpointMetadata, encodeTraining, loadTraining, readMetadata } from './checkpoint.ts';
import { type StepOptions, Steps } from './steps.ts';

/** A copy of the state is made when so many times as long has passed as the last one took: 2 % of the time at most. */
const COPY_EVERY = 49;

/**
 * Lets a training run outlive its device (`TrainerOptions.survival`): keeps a copy of the state in the host's memory, and
 * goes on from it on a new device, to the same bits. For one run. Apart from the trainer, so that who does without carries
 * nothing of it.
 */
export class Survival {
  private readonly recovery: Recovery;
  /** The state to go on from after a loss, as a checkpoint, and when the next is due. */
  private copy: Uint8Array[] | undefined;
  private copyDue = 0;

  /**
   * @param reopen opens the adapter again, `openDevice` for example; the trainer closes what it opened
   * @param onDeviceLost told of every loss that the run tries to survive
   */
  constructor(reopen: Reopen, onDeviceLost?: OnDeviceLost) {
    this.recovery = new Recovery(reopen, onDeviceLost);
  }

  /** Whether it is time for {@link keep}. */
  get due(): boolean {
    return performance.now() >= this.copyDue;
  }

  /** Whether there is a copy. */
  get ready(): boolean {
    return this.copy !== undefined;
  }

  /** Copies the state after the last step, while steps go on. One that fails leaves the copy before it. */
  async keep(steps: Steps): Promise<void> {
    const started = performance.now();
    this.copyDue = Number.POSITIVE_INFINITY;
    await encodeTraining(steps, {})
      .then((copy) => {
        this.copy = copy;
      })
      .catch(() => {}) // a device that is lost, or numbers that are none: whoever uses them next is told
      .finally(() => {
        const now = performance.now();
        this.copyDue = now + COPY_EVERY * (now - started);
      });
  }

  /** A step is known to have been made: the next loss is the first again. */
  progress(): void {
    this.recovery.progress();
  }

  /**
   * Opens the adapter again and has `restore` go on with the steps as they were at the last copy.
   *
   * @throws what `error` is when it has another reason, or there is no copy; DeviceLostError when there is no new device
   */
  async recover(
    error: unknown,
    { model, options }: Steps,
    restore: (steps: Steps) => Promise<void>,
  ): Promise<void> {
    if (!this.copy) throw error;
    await this.recovery.recover(error, model.device, async (device: Device) =>
      restore((await this.stepsAtCopy(device, options)) as Steps),
    );
  }

  /** The steps as they were at the last copy, beside those that go on; undefined where there is no copy. To be disposed of. */
  async stepsAtCopy(device: Device, options: StepOptions): Promise<Steps | undefined> {
    if (!this.copy) return undefined;
    const blob = new Blob(this.copy as Uint8Array<ArrayBuffer>[]);
    const file = await openSafetensors(blobSource(blob, 'the copy in memory'));
    const metadata = readMetadata(file) as CheckpointMetadata;
    const { training, ...state } = await loadTraining(device, file, metadata, options);
    return new Steps(options, state, training.progress);
  }
}
