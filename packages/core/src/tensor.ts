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

let nextId = 1;

/** What to say of an argument that a type checker would have refused. */
function unexpected(what: string, got: unknown, expected: unknown): UserError {
  return new UserError(`Tensor: ${what} is ${got}, expected ${expected}`);
}

/** The type of what should have been an object. */
const typeName = (value: unknown) => value?.constructor?.name ?? String(value && typeof value);

/** @internal @throws UserError for an argument that is no tensor: in JavaScript nothing else says so */
export function expectTensor(op: string, operand: string, value: unknown): asserts value is Tensor {
  if (!(value instanceof Tensor))
    throw new UserError(`${op}: ${operand} is ${typeName(value)}, expected a Tensor`);
}

/** @throws UserError when it is no shape */
function checkShape(shape: Shape): void {
  if (!Array.isArray(shape) || !shape.every((extent) => Number.isInteger(extent) && extent > 0))
    throw unexpected('shape', JSON.stringify(shape), 'an array of positive whole numbers');
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
  /** Names the tensor on the tape. */
  readonly id = nextId++;
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

  /**
   * A tensor with undefined contents.
   *
   * @throws UserError when something is not of its type
   */
  static empty(device: Device, shape: Shape, dtype: DType = 'f32', requiresGrad = false): Tensor {
    if (!device?.tape)
      throw unexpected('device', typeName(device), 'a Device, which openDevice() resolves to');
    checkShape(shape);
    if (!hostTypes[dtype]) throw unexpected('dtype', dtype, Object.keys(hostTypes));
    const buffer = device.acquire(4 * sizeOf(shape), `tensor [${shape}]`);
    return new Tensor(device, shape, dtype, { buffer, users: 1 }, requiresGrad);
  }

  /**
   * A tensor with the given contents; dtype from the array's type.
   *
   * @throws UserError when the length is not that of the shape, or something is not of its type
   */
  static from(device: Device, data: HostArray, shape: Shape = [data?.length], requiresGrad = false): Tensor {
    const dtype =
      data instanceof Float32Array
        ? 'f32'
        : data instanceof Int32Array
          ? 'i32'
          : data instanceof Uint32Array
            ? 'u32'
            : undefined;
    if (!dtype) throw unexpected('data', typeName(data), 'a Float32Array, Int32Array or Uint32Array');
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
    if (!this.storage) throw new Error(`${this} was used after it was freed`);
    return this.storage.buffer;
  }

  /** The same memory without its history: gradients stop here. Freed on its own. */
  detach(): Tensor {
    return this.view(this.shape);
  }

  /**
   * The same memory in another shape of the same size; gradients pass. Freed on its own.
   *
   * @throws UserError when the size is another one
   */
  reshape(shape: Shape): Tensor {
    checkShape(shape);
    if (sizeOf(shape) !== this.size) throw new UserError(`reshape: ${this} does not fit [${shape}]`);
    const view = this.view(shape);
    this.device.tape.record('reshape', [this], view, [], Object.fromEntries(this.shape.entries()));
    return view;
  }

  /** As in `tensor [2,3] (f32, #7)`. */
  toString(): string {
    return `tensor [${this.shape}] (${this.dtype}, #${this.id})`;
  }

  /** Replaces the contents. */
  write(data: HostArray): void {
    if (data?.length !== this.size) {
      throw new UserError(`${this} holds ${this.size} elements, got ${data?.length}`);
    }
    this.writeAt(0, data);
  }

  /** Replaces the elements from the `offset`-th on, in row-major order. */
  writeAt(offset: number, data: HostArray): void {
    if (!(data instanceof hostTypes[this.dtype])) {
      throw new UserError(`${this} takes ${hostTypes[this.dtype].name}, got ${typeName(data)}`);
    }
    if (!Number.isInteger(offset) || offset < 0 || offset + data.length > this.size) {
      throw new UserError(`${this} holds ${this.size} elements, got ${data.length} to write at ${offset}`);
    }
    this.device.stream.upload(this.buffer, data, 4 * offset);
  }

  /** Copies the contents of a tensor of the same shape and dtype, on the GPU. */
  assign(source: Tensor): void {
    expectTensor('assign', 'the source', source);
    if (source.dtype !== this.dtype || source.shape.join() !== this.shape.join()) {
      throw new UserError(`assign: ${this} got ${source}`);
    }
    this.assignAt(0, source);
  }

  /** Copies the contents of a tensor of the same dtype to the elements from the `offset`-th on, on the GPU. */
  assignAt(offset: number, source: Tensor): void {
    expectTensor('assignAt', 'the source', source);
    if (source.device !== this.device)
      throw new UserError(`assignAt: ${this} got ${source} of another device`);
    if (source.dtype !== this.dtype || offset + source.size > this.size) {
      throw new UserError(`assignAt: ${this} got ${source} for ${offset}`);
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
      throw new UserError(`${this} holds ${this.size} elements, got ${offset}`);
    }
  }

  /** The contents, once all work submitted so far has run. The result's type follows the dtype. */
  async read(): Promise<HostArray> {
    return new hostTypes[this.dtype](await this.device.stream.read(this.buffer, this.bytes));
  }

  /** {@link read} for f32 tensors. */
  async readF32(): Promise<Float32Array> {
    if (this.dtype !== 'f32') throw new Error(`${this} is not f32`);
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

  private view(shape: Shape): Tensor {
    this.buffer; // throws when it has been freed
    const storage = this.storage as Storage;
    storage.users += 1;
    return new Tensor(this.device, shape, this.dtype, storage, false);
  }
}
