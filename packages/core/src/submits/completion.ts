/** A platform that takes longer to notice that nothing is left to do looks only now and then: Firefox every 100 ms. */
const LATE_MS = 20;
/** An empty submit makes it look. */
const NUDGE_MS = 1;

/**
 * Notices promptly that GPU work is done. Some platforms look for it on a timer, and at each submit: while something
 * waits they are nudged by empty submits. Which platforms these are is measured when something has waited first; until
 * then all are nudged.
 */
export class Completion {
  private waits = 0;
  private timer: ReturnType<typeof setInterval> | undefined;
  /** Milliseconds that an empty queue takes to say so; undefined until it is known. */
  private latency: number | undefined;

  /** Counts submits. */
  submits = 0;

  constructor(private readonly queue: GPUQueue) {}

  /** How late completion is noticed, in milliseconds; 0 while that is not known, and where nudges help. */
  get latencyMs(): number {
    return this.nudges ? NUDGE_MS : (this.latency ?? 0);
  }

  /** The result of something that is over when submitted work is done. */
  async of<T>(promise: Promise<T>): Promise<T> {
    this.begin();
    try {
      return await promise;
    } finally {
      this.end();
      if (this.latency === undefined) await this.measure();
    }
  }

  /** Something begins to wait for submitted work, until {@link end}. */
  begin(): void {
    this.waits += 1;
    if (this.timer === undefined && this.nudges) {
      this.timer = setInterval(() => this.queue.submit([]), NUDGE_MS);
    }
  }

  end(): void {
    this.waits -= 1;
    if (this.waits === 0) this.stop();
  }

  private stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private get nudges(): boolean {
    return (this.latency ?? Number.POSITIVE_INFINITY) > LATE_MS;
  }

  /** Measures the latency, unless work comes up meanwhile. The first wait ends where the platform's timer does. */
  private async measure(): Promise<void> {
    const { queue, submits } = this;
    try {
      await queue.onSubmittedWorkDone();
      const start = performance.now();
      await queue.onSubmittedWorkDone();
      if (submits === this.submits) this.latency ??= performance.now() - start;
      if (!this.nudges) this.stop();
    } catch {} // the device is lost, which is reported by itself
  }
}
