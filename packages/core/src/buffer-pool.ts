import { BufferUsage } from './constants.ts';
import { UserError } from './errors.ts';
import type { DeviceLimits } from './limits.ts';

/** What the GPU memory of a device amounts to, in bytes. Every buffer that the engine creates is counted. */
export interface MemoryStats {
  /** Held by live tensors and the engine's own uploads and readbacks. */
  liveBytes: number;
  /** All buffers that exist: live ones and those kept for reuse. */
  totalBytes: number;
  /** The largest `totalBytes` since the last `BufferPool.resetPeak`. */
  peakBytes: number;
  /** The number of buffers behind `totalBytes`. */
  buffers: number;
}

let nextId = 1;

/** A GPU buffer on loan from the pool, or one that a recording (see recording.ts) will place later. */
export class PooledBuffer {
  /** Names the buffer in bind group cache keys; never reused. */
  readonly id = nextId++;
  /** The batch of commands (see CommandStream) that used this buffer last. */
  lastBatch = -1;
  /** Recordings that use the buffer: it does not go back to the pool before they are gone. */
  holders = 0;
  /** Its tensors have been freed, but recordings hold it. */
  abandoned = false;

  constructor(
    private place: GPUBuffer | undefined,
    readonly bytes: number,
    readonly usage: GPUBufferUsageFlags,
  ) {}

  /** Whether there is memory behind it: not so for what a recording made, until its plan places it. */
  get placed(): boolean {
    return this.place !== undefined;
  }

  /** @throws Error while the recording that made the buffer goes on, and for what it used in passing */
  get gpu(): GPUBuffer {
    if (!this.place) throw new Error('a tensor made in a recording was used outside of it');
    return this.place;
  }

  /** Decides where a recorded buffer lives: in the memory of another one, or through {@link BufferPool.place}. */
  placeAt(gpu: GPUBuffer): void {
    this.place = gpu;
  }
}

/** Buffer sizes are rounded up to this, so that nearly equal shapes share buffers. */
const GRANULE = 256;

/** The size of a buffer for so many bytes. */
export function bufferSize(bytes: number): number {
  return Math.max(GRANULE, Math.ceil(bytes / GRANULE) * GRANULE);
}

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
    private readonly limits: DeviceLimits,
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
    const size = bufferSize(bytes);
    const reused = this.free.get(`${size}:${usage}`)?.pop();
    if (reused) {
      this.live += size;
      return reused;
    }
    this.checkLimits(size, usage, what);
    return this.create({ size, usage, label: what });
  }

  /** A new buffer with contents, which nothing that is on its way to the GPU knows. */
  filled(contents: Uint8Array, usage: GPUBufferUsageFlags, what: string): PooledBuffer {
    const size = bufferSize(contents.byteLength);
    const buffer = this.create({ size, usage, label: what, mappedAtCreation: true });
    new Uint8Array(buffer.gpu.getMappedRange()).set(contents);
    buffer.gpu.unmap();
    return buffer;
  }

  /**
   * Gives a recorded buffer memory of its own: from now on it is one of the pool's, on loan until released. There is no
   * second {@link PooledBuffer} for that memory, so that every use of it is known in one place.
   *
   * @throws UserError when the adapter's limits do not allow its size
   */
  place(buffer: PooledBuffer, what: string): void {
    const { gpu, lastBatch } = this.acquire(buffer.bytes, buffer.usage, what);
    buffer.placeAt(gpu);
    buffer.lastBatch = lastBatch;
  }

  release(buffer: PooledBuffer): void {
    if (buffer.holders > 0) {
      buffer.abandoned = true;
      return;
    }
    buffer.abandoned = false;
    this.live -= buffer.bytes;
    const key = `${buffer.bytes}:${buffer.usage}`;
    const list = this.free.get(key);
    if (list) list.push(buffer);
    else this.free.set(key, [buffer]);
  }

  /** Keeps a buffer from being lent again until {@link unhold}, even when its tensors are freed. */
  hold(buffer: PooledBuffer): void {
    buffer.holders += 1;
  }

  unhold(buffer: PooledBuffer): void {
    buffer.holders -= 1;
    if (buffer.holders === 0 && buffer.abandoned) this.release(buffer);
  }

  /** Takes back a buffer that is not kept for reuse. */
  discard(buffer: PooledBuffer): void {
    this.live -= buffer.bytes;
    this.destroy(buffer);
  }

  /** Destroys every buffer that is not on loan. */
  trim(): void {
    for (const list of this.free.values()) for (const buffer of list) this.destroy(buffer);
    this.free.clear();
  }

  private destroy(buffer: PooledBuffer): void {
    buffer.gpu.destroy();
    this.total -= buffer.bytes;
    this.count -= 1;
    this.onDestroy(buffer);
  }

  private create(descriptor: GPUBufferDescriptor): PooledBuffer {
    const { size, usage } = descriptor;
    const buffer = new PooledBuffer(this.device.createBuffer(descriptor), size, usage);
    this.live += size;
    this.total += size;
    this.count += 1;
    this.peak = Math.max(this.peak, this.total);
    return buffer;
  }

  private checkLimits(size: number, usage: GPUBufferUsageFlags, what: string): void {
    const { maxBufferSize, maxStorageBufferBindingSize } = this.limits;
    const binding = usage & BufferUsage.STORAGE ? maxStorageBufferBindingSize : maxBufferSize;
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
