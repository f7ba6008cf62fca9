import type { BufferPool, PooledBuffer } from './buffer-pool.ts';
import { BufferUsage, MapMode } from './constants.ts';
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

/** The timestamps of one command buffer. */
export interface BatchTimes {
  /** Where the pass of the next dispatch writes its timestamps. */
  timestamps(name: string, work: Work): GPUComputePassTimestampWrites;
  /** Appends the readback to the commands; call the result when they have been submitted. */
  resolve(encoder: GPUCommandEncoder): () => void;
}

/**
 * Times kernels by timestamp queries. Each dispatch becomes a pass of its own, so a profiled run is slower as a whole;
 * the times of the kernels are those of the GPU. Browsers round timestamps to 100 µs unless told otherwise.
 */
export class Profiler {
  private readonly querySet: GPUQuerySet;
  private readonly resolved: PooledBuffer;
  private readonly totals = new Map<string, KernelTime>();
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

  /** The times so far, the longest first, once all submitted work has run. */
  async times(): Promise<KernelTime[]> {
    await Promise.all(this.readings);
    return [...this.totals.values()].sort((a, b) => b.ms - a.ms);
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
    batch.forEach(({ name, flops, bytes }, i) => {
      const total = this.totals.get(name) ?? { name, calls: 0, ms: 0, flops: 0, bytes: 0 };
      total.calls += 1;
      total.ms += Number(stamps[2 * i + 1] - stamps[2 * i]) / 1e6;
      total.flops += flops;
      total.bytes += bytes;
      this.totals.set(name, total);
    });
    staging.gpu.unmap();
    this.pool.release(staging);
  }
}
