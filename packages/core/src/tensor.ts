import type { PooledBuffer } from './buffer-pool.ts';
import type { Device } from './device.ts';
import { UserError } from './errors.ts';

export type DType = 'f32' | 'i32' | 'u32';
export type HostArray = Float32Array | Int32Array | Uint32Array;
export type Shape = readonly number[];

const hostTypes = { f32: Float32Array, i32: Int32Array, u32: Uint32Array } as const;

/** Number of elements of a shape. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** The GPU memory behind one or more tensors. */
interface Storage {
  buffer: PooledBuffer;
  users: number;
}

/**
 * A contiguous array on the GPU, of 4-byte elements. Its memory is freed by {@link dispose}, or by the
 * {@link Device.scope} that it was made in; the tape keeps what `backward` needs until then.
 */
export class Tensor {
  private static nextId = 1;
  /** Names the tensor on the tape. */
  readonly id = Tensor.nextId++;
  private references = 1;
  private disposed = false;

  private constructor(
    readonly device: Device,
    readonly shape: Shape,
    readonly dtype: DType,
    private storage: Storage | undefined,
    /** Gradients are wanted for this tensor: it is a parameter. */
    readonly requiresGrad: boolean,
  ) {
    device.adopt(this);
  }

  /** A tensor with undefined contents. */
  static empty(device: Device, shape: Shape, dtype: DType = 'f32', requiresGrad = false): Tensor {
    if (shape.some((extent) => !Number.isInteger(extent) || extent < 1)) {
      throw new UserError(`tensor [${shape}]: every extent must be a positive whole number`);
    }
    const buffer = device.acquire(4 * sizeOf(shape), `tensor [${shape}]`);
    return new Tensor(device, shape, dtype, { buffer, users: 1 }, requiresGrad);
  }

  /**
   * A tensor with the given contents; dtype from the array's type.
   *
   * @throws UserError when the length is not that of the shape
   */
  static from(device: Device, data: HostArray, shape: Shape = [data.length], requiresGrad = false): Tensor {
    const dtype = data instanceof Float32Array ? 'f32' : data instanceof Int32Array ? 'i32' : 'u32';
    const tensor = Tensor.empty(device, shape, dtype, requiresGrad);
    try {
      tensor.write(data);
    } catch (error) {
      tensor.dispose();
      throw error;
    }
    return tensor;
  }

  get size(): number {
    return sizeOf(this.shape);
  }

  get bytes(): number {
    return 4 * this.size;
  }

  /** @throws Error when the tensor has been freed */
  get buffer(): PooledBuffer {
    if (!this.storage) throw new Error(`tensor [${this.shape}] was used after it was freed`);
    return this.storage.buffer;
  }

  /** The same memory without its history: gradients stop here. Freed on its own. */
  detach(): Tensor {
    const storage = this.shareStorage();
    return new Tensor(this.device, this.shape, this.dtype, storage, false);
  }

  /** Replaces the contents. */
  write(data: HostArray): void {
    if (data.length !== this.size) {
      throw new UserError(`tensor [${this.shape}] holds ${this.size} elements, got ${data.length}`);
    }
    this.writeAt(0, data);
  }

  /** Replaces the elements from the `offset`-th on, in row-major order. */
  writeAt(offset: number, data: HostArray): void {
    if (!(data instanceof hostTypes[this.dtype])) {
      throw new UserError(`tensor [${this.shape}] is ${this.dtype}, got ${data.constructor.name}`);
    }
    if (!Number.isInteger(offset) || offset < 0 || offset + data.length > this.size) {
      throw new UserError(
        `tensor [${this.shape}] holds ${this.size} elements, got ${data.length} to write at ${offset}`,
      );
    }
    this.device.stream.upload(this.buffer, data, 4 * offset);
  }

  /** Copies the contents of a tensor of the same shape and dtype, on the GPU. */
  assign(source: Tensor): void {
    if (source.dtype !== this.dtype || source.shape.join() !== this.shape.join()) {
      throw new UserError(
        `assign: tensor [${this.shape}] is ${this.dtype}, got [${source.shape}], ${source.dtype}`,
      );
    }
    this.assignAt(0, source);
  }

  /** Copies the contents of a tensor of the same dtype to the elements from the `offset`-th on, on the GPU. */
  assignAt(offset: number, source: Tensor): void {
    if (source.dtype !== this.dtype || offset + source.size > this.size) {
      throw new UserError(
        `assignAt: tensor [${this.shape}] is ${this.dtype}, got [${source.shape}], ${source.dtype}, for ${offset}`,
      );
    }
    this.device.stream.copy(source.buffer, this.buffer, source.bytes, 4 * offset);
  }

  /** As {@link write}, for contents that come in pieces and are never held whole: the next is asked for when there is room. */
  async writePieces(pieces: AsyncIterable<HostArray>): Promise<void> {
    let offset = 0;
    for await (const piece of pieces) {
      this.writeAt(offset, piece);
      offset += piece.length;
      await this.device.stream.ready();
    }
    if (offset !== this.size) {
      throw new UserError(`tensor [${this.shape}] holds ${this.size} elements, got ${offset}`);
    }
  }

  /** The contents, once all work submitted so far has run. The result's type follows the dtype. */
  async read(): Promise<HostArray> {
    return new hostTypes[this.dtype](await this.device.stream.read(this.buffer, this.bytes));
  }

  /** {@link read} for f32 tensors. */
  async readF32(): Promise<Float32Array> {
    if (this.dtype !== 'f32') throw new Error(`tensor [${this.shape}] is ${this.dtype}, not f32`);
    return (await this.read()) as Float32Array;
  }

  /** Gives the memory back. Calling it again does nothing. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.release();
  }

  /** For `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Keeps the memory until a matching {@link release}, past `dispose` (the tape does this). */
  retain(): this {
    this.references += 1;
    return this;
  }

  release(): void {
    this.references -= 1;
    if (this.references > 0 || !this.storage) return;
    this.device.tensors.delete(this);
    this.storage.users -= 1;
    if (this.storage.users === 0) this.device.release(this.storage.buffer);
    this.storage = undefined;
  }

  private shareStorage(): Storage {
    if (!this.storage) throw new Error(`tensor [${this.shape}] was used after it was freed`);
    this.storage.users += 1;
    return this.storage;
  }
}
