const PERIOD_MS = 10;
/** Beats further apart than that: the host was busy. */
const PAUSE_MS = 2 * PERIOD_MS;

/** Tells how late the host may have noticed something, because it was busy with something else. */
export class Heartbeat {
  private timer: ReturnType<typeof setInterval> | undefined;
  private last = 0;
  /** The last time that the host was busy for long: from a beat on until the next one. */
  private pause = { from: 0, to: Number.NEGATIVE_INFINITY };

  start(): void {
    this.last = performance.now();
    this.timer ??= setInterval(() => this.beat(performance.now()), PERIOD_MS);
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** What is noticed at `now` may have happened so many milliseconds ago, at the most. */
  lateMs(now: number): number {
    // Right after a pause, things come in any order: a beat may well have been before what was noticed.
    const justPaused = now - this.pause.to < PERIOD_MS;
    return now - (justPaused ? this.pause.from : this.last);
  }

  private beat(now: number): void {
    if (now - this.last > PAUSE_MS) this.pause = { from: this.last, to: now };
    this.last = now;
  }
}
