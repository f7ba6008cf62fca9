/** A rest is this share of what has been waited already, so that little is lost when the wait ends meanwhile. */
const SHARE = 1 / 16;
const SHORTEST_MS = 0.05;
/** So much later the end of a wait is noticed at most: little beside the 50 ms that benchmarks time. */
const LONGEST_MS = 0.2;
/** A turn of the event loop that takes longer has had something to do beside looking. */
const BUSY_TURN_MS = 0.1;

const cell = new Int32Array(new SharedArrayBuffer(4));

let waits = 0;
/** When a wait last began or ended. */
let since = 0;
let turning = false;
let turnedAt = 0;

/**
 * Waits for the GPU without keeping a core busy. Dawn for Node looks whether something is done at every turn of the event
 * loop, and has the loop turn as fast as it can: of a software adapter on two cores, that takes a third. While something
 * waits here, a turn in which nothing else happens ends with a rest.
 */
export async function resting<T>(promise: Promise<T>): Promise<T> {
  waits += 1;
  since = performance.now();
  if (!turning) {
    turning = true;
    turnedAt = since;
    setImmediate(turn).unref();
  }
  try {
    return await promise;
  } finally {
    waits -= 1;
    since = performance.now();
  }
}

function turn(): void {
  turning = waits > 0;
  if (!turning) return;
  const now = performance.now();
  const ms = Math.min(LONGEST_MS, SHARE * (now - since));
  if (ms >= SHORTEST_MS && now - turnedAt < BUSY_TURN_MS) Atomics.wait(cell, 0, 0, ms);
  turnedAt = performance.now();
  setImmediate(turn).unref();
}
