/** How Node waits for the GPU: without keeping a core busy, and without holding up what else goes on. */
import { afterEach, expect, it, vi } from 'vitest';
import { resting } from '../src/submits/rest.node.ts';

afterEach(() => vi.restoreAllMocks());

const after = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Has the event loop turn until `promise` is settled, as Dawn does, and calls `each` at every turn. */
async function turning(promise: Promise<unknown>, each: () => void): Promise<void> {
  let pending = true;
  promise.finally(() => {
    pending = false;
  });
  while (pending) {
    await new Promise(setImmediate);
    each();
  }
}

it('lets the event loop turn seldom, however fast it could', async () => {
  const start = performance.now();
  let turns = 0;
  await turning(resting(after(100)), () => {
    if (performance.now() - start > 10) turns += 1;
  });
  // From 4 ms on a turn rests for a fifth of one, or has taken a tenth by itself: ten turns a millisecond at most, where none
  // rests about two hundred.
  expect(turns).toBeGreaterThan(0);
  expect(turns).toBeLessThan(10 * (performance.now() - start));
});

it('does not rest where something else happens at every turn, nor when nothing waits', async () => {
  const wait = vi.spyOn(Atomics, 'wait');
  await turning(resting(after(20)), () => {
    const start = performance.now();
    while (performance.now() - start < 0.2);
  });
  await turning(after(20), () => {});
  expect(wait).not.toHaveBeenCalled();
});

it('gives what was waited for, and what went wrong', async () => {
  expect(await resting(Promise.resolve(3))).toBe(3);
  await expect(resting(Promise.reject(new Error('on purpose')))).rejects.toThrow('on purpose');
});
