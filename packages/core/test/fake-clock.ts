/** Time that passes only when it is told to, for the {@link FakeGpu}. */
import { vi } from 'vitest';

/** Stops the clock, and the timers with it. */
export function stopTime(): void {
  const toFake = ['performance', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] as const;
  vi.useFakeTimers({ toFake: [...toFake] });
}

export function resumeTime(): void {
  vi.useRealTimers();
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
