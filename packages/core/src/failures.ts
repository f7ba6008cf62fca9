import { DeviceLostError, GpuError, UserError } from './errors.ts';

/**
 * WebGPU makes whatever comes after a mistake invalid, and says so in the words of each implementation (Dawn, wgpu in Deno
 * and Firefox). The mistake's own message, which may come later, is the one that helps.
 */
const CONSEQUENCE = /\bis invalid\b|\[Invalid /;
/** A lost device may first show as a read that fails: Firefox says that it is lost up to six seconds later. */
const LOSS_MS = 8000;
/** What fails on the host at once when a device is lost comes a moment before the news of it. */
const NEWS_MS = 100;

/** What went wrong on a device, from everywhere that a platform may tell it. */
export class Failures {
  /** Resolves when the device is lost, other than by closing it. */
  readonly lost: Promise<DeviceLostError>;
  private failure: Error | undefined;
  private consequence: string | undefined;
  private closed = false;
  /** What the owner of a wrapped device had set. */
  private readonly ownersHandler: GPUDevice['onuncapturederror'];

  constructor(private readonly gpu: GPUDevice) {
    this.ownersHandler = gpu.onuncapturederror;
    gpu.onuncapturederror = (event) => {
      event.preventDefault(); // it is thrown where somebody waits; the platform need not print it as well
      this.uncaptured(event.error);
    };
    this.lost = new Promise((resolve) => {
      gpu.lost.then(({ message }) => {
        if (this.closed) return;
        const error = new DeviceLostError(
          `The GPU device was lost (${message || 'no reason given'}), and what was on it with it.`,
        );
        // What came before may be its doing: a lost device has no memory for anything either.
        if (!(this.failure instanceof GpuError)) this.failure = error;
        resolve(error);
      });
    });
  }

  /** Something went wrong; what came first is what is thrown. */
  fail(error: Error): void {
    this.failure ??= error;
  }

  /** Throws what went wrong, if anything did. */
  check(): void {
    if (this.failure) throw this.failure;
  }

  /**
   * Throws what went wrong once that is known.
   *
   * @param compiled resolves when it is known whether all pipelines compiled
   * @param failed whether a read or the like has failed: there must be a reason, which may come later
   */
  async settle(compiled: Promise<void>, failed = false): Promise<void> {
    await compiled;
    if ((failed || this.consequence) && !this.failure) await this.lostWithin(LOSS_MS);
    this.check();
    if (this.consequence) throw new GpuError(`WebGPU reported: ${this.consequence}`);
  }

  /** The loss that an error comes of, if it does: an error may come before the news that explains it. */
  async lossBehind(error: unknown): Promise<DeviceLostError | undefined> {
    if (error instanceof GpuError) return undefined;
    if (!(error instanceof DeviceLostError))
      await this.lostWithin(error === this.failure ? LOSS_MS : NEWS_MS);
    return this.failure instanceof DeviceLostError ? this.failure : undefined;
  }

  /** Listens no more. */
  close(): void {
    this.closed = true;
    this.gpu.onuncapturederror = this.ownersHandler;
  }

  private uncaptured(error: GPUError): void {
    if (this.closed || this.failure instanceof DeviceLostError) return; // whatever comes after a loss is its doing
    if (error.constructor.name === 'GPUOutOfMemoryError') {
      const remedy = 'Use a smaller batch or model, or close other programs that use the GPU.';
      this.fail(new UserError(`The GPU is out of memory (${error.message}). ${remedy}`));
    } else if (CONSEQUENCE.test(error.message)) this.consequence ??= error.message;
    else this.fail(new GpuError(`WebGPU reported: ${error.message}`));
  }

  private async lostWithin(ms: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const enough = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    await Promise.race([this.lost, enough]);
    clearTimeout(timer);
  }
}
