/** One tab at a time has the run: two would write over each other's file. */

const NAME = 'hrm-webgpu-train';

export class RunLock {
  private release: (() => void) | undefined;

  /** Resolves to whether the run is this tab's now. */
  take(): Promise<boolean> {
    if (this.release) return Promise.resolve(true);
    return new Promise((resolve, reject) => {
      const held = navigator.locks.request(NAME, { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        if (!lock) return undefined;
        return new Promise<void>((release) => {
          this.release = release;
        });
      });
      held.catch(reject);
    });
  }

  drop(): void {
    this.release?.();
    this.release = undefined;
  }

  /** Whether another tab has it. */
  async takenElsewhere(): Promise<boolean> {
    if (this.release) return false;
    const { held } = await navigator.locks.query();
    return held?.some(({ name }) => name === NAME) ?? false;
  }

  /** Resolves when no tab has it. */
  async free(): Promise<void> {
    await navigator.locks.request(NAME, () => {});
  }
}
