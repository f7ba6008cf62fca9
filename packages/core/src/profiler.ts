import type { BufferPool, PooledBuffer } from './buffer-pool.ts';
import { MAX_DISPATCHES } from './command-stream.ts';
import { BufferUsage, MapMode } from './constants.ts';
import type { Device } from './device.ts';
import { UserError } from './errors.ts';

/** What a dispatch does, for rates. */
export interface Work {
  /** Floating-point operations; a multiply-add counts two. */
  flops: number;
  /** Bytes that must be read and written at least once. */
  bytes: number;
}

/** The time that one kernel took on the GPU, over all its dispatches. */
export interface KernelTime extends Work {
  name: string;
  calls: number;
  ms: number;
}

interface Measured extends Work {
  name: string;
}

/** What a stream asks while it is profiled. */
export interface BatchTimer {
  /** Takes the times of a command buffer's dispatches. */
  batch(): BatchTimes;
}

/** The timestamps of one command buffer. */
export interface BatchTimes {
  /** Where the pass of the next dispatch writes its timestamps. */
  timestamps(name: string, work: Work): GPUComputePassTimestampWrites;
  /** Appends the readback to the commands; call the result when they have been submitted. */
  resolve(encoder: GPUCommandEncoder): () => void;
}

/**
 * Times every dispatch of a device from now on until the result is called, which gives the times by kernel, the longest
 * first. Each dispatch becomes a pass of its own, so a profiled run is slower as a whole; the times of the kernels are those
 * of the GPU.
 *
 * @throws UserError when the adapter has no timestamps; the result, when they are too coarse or go backwards
 */
export function startProfile({ gpu, stream, pool }: Device): () => Promise<KernelTime[]> {
  stream.flush();
  const profiler = new Profiler(gpu, pool, MAX_DISPATCHES);
  stream.profiler = profiler;
  return async () => {
    stream.flush();
    stream.profiler = undefined;
    await stream.turn();
    try {
      return await profiler.times();
    } finally {
      profiler.destroy();
    }
  };
}

/** Timestamps in larger steps time no kernel: browsers round them to 100 µs, some GPUs to 65.5 µs. */
const COARSEST_NS = 10_000;

/** Adds timestamps up, kernel by kernel. */
export class KernelTimes {
  private readonly totals = new Map<string, KernelTime & { timed: number }>();
  private stepNs = 0;

  /** @param stamps of a command buffer, in nanoseconds: before and after each of its dispatches */
  add(batch: readonly Measured[], stamps: BigUint64Array): void {
    batch.forEach(({ name, flops, bytes }, i) => {
      const total = this.totals.get(name) ?? { name, calls: 0, timed: 0, ms: 0, flops: 0, bytes: 0 };
      const ns = Number(BigInt.asIntN(64, stamps[2 * i + 1] - stamps[2 * i]));
      total.calls += 1;
      total.flops += flops;
      total.bytes += bytes;
      this.totals.set(name, total);
      if (ns < 0) return; // some clocks are set back now and then
      total.timed += 1;
      total.ms += ns / 1e6;
      this.stepNs = commonStep(this.stepNs, ns);
    });
  }

  /** The times, the longest first; calls that were not timed count as long as the others of their kernel. */
  result(): KernelTime[] {
    const kernels = [...this.totals.values()];
    if (this.stepNs >= COARSEST_NS)
      throw unusable(
        `they come in steps of ${this.stepNs / 1000} µs, which is longer than most kernels take`,
      );
    const backwards = kernels.find(({ calls, timed }) => 2 * timed < calls);
    if (backwards) throw unusable(`those of ${backwards.name} go backwards`);
    return kernels
      .map(({ timed, ...total }) => ({ ...total, ms: (total.ms * total.calls) / timed }))
      .sort((a, b) => b.ms - a.ms);
  }
}

const unusable = (why: string) =>
  new UserError(`kernels cannot be timed one by one by the timestamps of this platform: ${why}`);

/** The greatest common divisor: what all durations are multiples of. */
function commonStep(a: number, b: number): number {
  return b === 0 ? a : commonStep(b, a % b);
}

/** The queries behind {@link startProfile}. */
class Profiler implements BatchTimer {
  private readonly querySet: GPUQuerySet;
  private readonly resolved: PooledBuffer;
  private readonly kernels = new KernelTimes();
  private readonly readings: Promise<void>[] = [];

  /** @throws UserError when the adapter has no timestamps */
  constructor(
    device: GPUDevice,
    private readonly pool: BufferPool,
    /** Dispatches in a batch at the most. */
    capacity: number,
  ) {
    if (!device.features.has('timestamp-query')) {
      throw new UserError("this adapter has no 'timestamp-query': kernels cannot be timed one by one on it");
    }
    this.querySet = device.createQuerySet({ type: 'timestamp', count: 2 * capacity });
    const usage = BufferUsage.QUERY_RESOLVE | BufferUsage.COPY_SRC;
    this.resolved = pool.acquire(16 * capacity, usage, 'timestamps');
  }

  /** Takes the times of a command buffer's dispatches. Submitted one after the other, all use the same queries. */
  batch(): BatchTimes {
    const measured: Measured[] = [];
    return {
      timestamps: (name, work) => {
        const index = 2 * (measured.push({ name, ...work }) - 1);
        const { querySet } = this;
        return { querySet, beginningOfPassWriteIndex: index, endOfPassWriteIndex: index + 1 };
      },
      resolve: (encoder) => this.resolve(encoder, measured),
    };
  }

  /** The times, once all submitted work has run. */
  async times(): Promise<KernelTime[]> {
    await Promise.all(this.readings);
    return this.kernels.result();
  }

  destroy(): void {
    this.querySet.destroy();
    this.pool.release(this.resolved);
  }

  private resolve(encoder: GPUCommandEncoder, batch: Measured[]): () => void {
    if (batch.length === 0) return () => {};
    const bytes = 16 * batch.length;
    const usage = BufferUsage.MAP_READ | BufferUsage.COPY_DST;
    const staging = this.pool.acquire(bytes, usage, 'timestamps readback');
    encoder.resolveQuerySet(this.querySet, 0, 2 * batch.length, this.resolved.gpu, 0);
    encoder.copyBufferToBuffer(this.resolved.gpu, 0, staging.gpu, 0, bytes);
    return () => this.readings.push(this.read(staging, batch));
  }

  private async read(staging: PooledBuffer, batch: Measured[]): Promise<void> {
    await staging.gpu.mapAsync(MapMode.READ);
    const stamps = new BigUint64Array(staging.gpu.getMappedRange(0, 16 * batch.length));
    this.kernels.add(batch, stamps);
    staging.gpu.unmap();
    this.pool.release(staging);
  }
}
