/** GPU timestamps of every dispatch, one by one. */
import type { Device } from '@hrm-webgpu/core';
import { UserError } from '@hrm-webgpu/core';

/** When a dispatch began and ended, in nanoseconds of the GPU's clock. */
export interface Stamp {
  begin: bigint;
  end: bigint;
}

/** Dispatches of a command buffer: what the stream puts into one while it is profiled. */
const MOST_DISPATCHES = 512;
/** Of a WebGPU buffer. */
const USAGE = { resolved: 0x200 | 0x4, staging: 0x1 | 0x8 }; // QUERY_RESOLVE | COPY_SRC, MAP_READ | COPY_DST

/**
 * Runs `body`, and returns the stamps of the dispatches in it, in their order. Each is a pass of its own, which makes the whole slower.
 *
 * @throws UserError where the adapter has no timestamps
 */
export async function stampsOf(device: Device, body: () => void): Promise<Stamp[]> {
  const { gpu, stream } = device;
  if (!gpu.features.has('timestamp-query'))
    throw new UserError("this adapter has no 'timestamp-query': dispatches cannot be timed one by one on it");
  await stream.finish();
  const querySet = gpu.createQuerySet({ type: 'timestamp', count: 2 * MOST_DISPATCHES });
  const resolved = gpu.createBuffer({ size: 16 * MOST_DISPATCHES, usage: USAGE.resolved });
  const readings: Promise<Stamp[]>[] = [];
  stream.profiler = {
    batch() {
      let dispatches = 0;
      return {
        timestamps() {
          const index = 2 * dispatches++;
          return { querySet, beginningOfPassWriteIndex: index, endOfPassWriteIndex: index + 1 };
        },
        resolve(encoder) {
          if (dispatches === 0) return () => {};
          const size = 16 * dispatches;
          const staging = gpu.createBuffer({ size, usage: USAGE.staging });
          encoder.resolveQuerySet(querySet, 0, 2 * dispatches, resolved, 0);
          encoder.copyBufferToBuffer(resolved, 0, staging, 0, size);
          return () => readings.push(read(staging));
        },
      };
    },
  };
  try {
    body();
    await stream.finish();
    return (await Promise.all(readings)).flat();
  } finally {
    stream.profiler = undefined;
    querySet.destroy();
    resolved.destroy();
  }
}

const READ = 0x1;

async function read(staging: GPUBuffer): Promise<Stamp[]> {
  await staging.mapAsync(READ);
  const words = new BigUint64Array(staging.getMappedRange()).slice();
  staging.destroy();
  return Array.from({ length: words.length / 2 }, (_, i) => ({ begin: words[2 * i], end: words[2 * i + 1] }));
}
