/** Time that passes only when it is told to, for the {@link FakeGpu}. */
import { vi } from 'vitest';

let rests: { mockRestore(): void } | undefined;

/** Stops the clock, and the timers with it; the engine does not rest either while it waits (`rest.node.ts`). */
export function stopTime(): void {
  const toFake = ['performance', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] as const;
  vi.useFakeTimers({ toFake: [...toFake] });
  rests = vi.spyOn(Atomics, 'wait').mockReturnValue('timed-out');
}

export function resumeTime(): void {
  vi.useRealTimers();
  rests?.mockRestore();
}

/** Lets time pass until `promise` is settled, at most for so many milliseconds. */
export async function settled<T>(promise: Promise<T>, withinMs = 1e6): Promise<T> {
  let pending = true;
  const done = () => {
    pending = false;
  };
  promise.then(done, done);
  const end = performance.now() + withinMs;
  while (pending) {
    if (performance.now() >= end) throw new Error(`still waiting after ${withinMs} ms`);
    await vi.advanceTimersByTimeAsync(Math.min(10, end - performance.now()));
  }
  return promise;
}
