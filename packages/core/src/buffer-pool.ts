import { UserError } from './errors.ts';

/** What the GPU memory of a device amounts to, in bytes. Every buffer that the engine creates is counted. */
export interface MemoryStats {
  /** Held by live tensors and the engine's own uploads and readbacks. */
  liveBytes: number;
  /** All buffers that exist: live ones and those kept for reuse. */
  totalBytes: number;
  /** The largest `totalBytes` since the last {@link BufferPool.resetPeak}. */
  peakBytes: number;
  /** The number of buffers behind `totalBytes`. */
  buffers: number;
}

/** A GPU buffer on loan from the pool. */
export class PooledBuffer {
  private static nextId = 1;
  /** Names the buffer in bind group cache keys; never reused. */
  readonly id = PooledBuffer.nextId++;
  /** The batch of commands (see CommandStream) that used this buffer last. */
  lastBatch = -1;

  constructor(
    readonly gpu: GPUBuffer,
    readonly bytes: number,
    readonly usage: GPUBufferUsageFlags,
  ) {}
}

/** Buffer sizes are rounded up to this, so that nearly equal shapes share buffers. */
const GRANULE = 256;

/**
 * Lends GPU buffers and takes them back for reuse. Work is executed in submission order, so a buffer may be
 * lent again as soon as its last use has been encoded.
 */
export class BufferPool {
  private readonly free = new Map<string, PooledBuffer[]>();
  private live = 0;
  private total = 0;
  private peak = 0;
  private count = 0;

  constructor(
    private readonly device: GPUDevice,
    private readonly onDestroy: (buffer: PooledBuffer) => void,
  ) {}

  get stats(): MemoryStats {
    return { liveBytes: this.live, totalBytes: this.total, peakBytes: this.peak, buffers: this.count };
  }

  /** Starts a new measurement of `peakBytes`, from what exists now. */
  resetPeak(): void {
    this.peak = this.total;
  }

  /**
   * A buffer of at least `bytes`; its contents are whatever they were.
   *
   * @throws UserError when the adapter's limits do not allow that size
   */
  acquire(bytes: number, usage: GPUBufferUsageFlags, what: string): PooledBuffer {
    const size = Math.max(GRANULE, Math.ceil(bytes / GRANULE) * GRANULE);
    const reused = this.free.get(`${size}:${usage}`)?.pop();
    if (reused) {
      this.live += size;
      return reused;
    }
    this.checkLimits(size, usage, what);
    const buffer = new PooledBuffer(this.device.createBuffer({ size, usage, label: what }), size, usage);
    this.live += size;
    this.total += size;
    this.count += 1;
    this.peak = Math.max(this.peak, this.total);
    return buffer;
  }

  release(buffer: PooledBuffer): void {
    this.live -= buffer.bytes;
    const key = `${buffer.bytes}:${buffer.usage}`;
    const list = this.free.get(key);
    if (list) list.push(buffer);
    else this.free.set(key, [buffer]);
  }

  /** Destroys every buffer that is not on loan. */
  trim(): void {
    for (const list of this.free.values()) {
      for (const buffer of list) {
        buffer.gpu.destroy();
        this.total -= buffer.bytes;
        this.count -= 1;
        this.onDestroy(buffer);
      }
    }
    this.free.clear();
  }

  private checkLimits(size: number, usage: GPUBufferUsageFlags, what: string): void {
    const { maxBufferSize, maxStorageBufferBindingSize } = this.device.limits;
    const binding = usage & GPUBufferUsage.STORAGE ? maxStorageBufferBindingSize : maxBufferSize;
    const [limit, name] =
      binding < maxBufferSize ? [binding, 'maxStorageBufferBindingSize'] : [maxBufferSize, 'maxBufferSize'];
    if (size <= limit) return;
    throw new UserError(
      `${what} needs ${mebibytes(size)} in one buffer, but this adapter allows ${mebibytes(limit)} (${name}). ` +
        'Use a smaller batch or model, or a GPU with larger limits (`npm run doctor` lists them).',
    );
  }
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
