// What a reader may do with an input: read it, or refuse it in words; in time and memory that the input's size allows.
import { UserError } from '../../packages/core/dist/index.js';

/** Milliseconds: some for every input, more for a larger one; and what a device takes to answer. */
const limitMs = (bytes, gpu) => (gpu ? 5_000 : 100) + 50 * (bytes.length / 1e6);
/** Bytes in typed arrays at a time. */
const limitBytes = (bytes) => 64 * 2 ** 20 + 20 * bytes.length;

/** Anything but what may stand in a line of a terminal; line breaks and tabs apart. */
const RAW = /(?![\n\t])[\p{Cc}\p{Cf}]/u;
const MOST_MESSAGE = 4000;

/** Counts what typed arrays and buffers take from now on; `over` says when one alone is beyond a limit. */
export class Allocations {
  limit = Number.POSITIVE_INFINITY;
  largest = 0;

  constructor() {
    const note = (bytes) => {
      this.largest = Math.max(this.largest, bytes);
      if (bytes > this.limit) throw new Error(`over-allocation: ${bytes} bytes at once`);
    };
    for (const name of [
      'Uint8Array',
      'Int8Array',
      'Uint16Array',
      'Int16Array',
      'Int32Array',
      'Uint32Array',
      'Float32Array',
      'Float64Array',
    ]) {
      const Plain = globalThis[name];
      globalThis[name] = new Proxy(Plain, {
        construct(target, [first, ...rest], newTarget) {
          if (typeof first === 'number') note(first * Plain.BYTES_PER_ELEMENT);
          return Reflect.construct(
            target,
            [first, ...rest],
            newTarget === globalThis[name] ? Plain : newTarget,
          );
        },
      });
    }
  }
}

/**
 * Reads an input.
 *
 * @returns what is wrong; undefined where nothing is. `refused` tells whether it was refused
 */
export async function judge({ read, gpu }, bytes, allocations) {
  if (allocations) allocations.limit = limitBytes(bytes);
  const start = performance.now();
  let refused = false;
  try {
    await read(bytes);
  } catch (error) {
    refused = true;
    if (!(error instanceof UserError))
      return { refused, problem: `${error?.name}: ${error?.message}\n${error?.stack}` };
    if (RAW.test(error.message))
      return { refused, problem: `raw control characters: ${JSON.stringify(error.message)}` };
    if (error.message.length > MOST_MESSAGE)
      return { refused, problem: `a message of ${error.message.length} characters` };
  } finally {
    if (allocations) allocations.limit = Number.POSITIVE_INFINITY;
  }
  const took = performance.now() - start;
  if (took > limitMs(bytes, gpu))
    return { refused, slow: took, problem: `took ${took.toFixed(0)} ms for ${bytes.length} bytes` };
  return { refused };
}
