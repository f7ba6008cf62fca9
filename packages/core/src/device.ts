import { openAdapter } from '#gpu';
import { BufferPool, type MemoryStats, type PooledBuffer } from './buffer-pool.ts';
import { CommandStream } from './command-stream.ts';
import { DeviceLostError, GpuError, UserError } from './errors.ts';
import type { Work } from './profiler.ts';
import { type ParamValues, ProgramCache, type ShaderSource } from './program.ts';
import type { ConstantValues } from './shader.ts';
import { Tape } from './tape.ts';
import { Tensor } from './tensor.ts';

/** What the engine uses when the adapter has it. */
const OPTIONAL_FEATURES: GPUFeatureName[] = ['timestamp-query', 'shader-f16', 'subgroups'];

/** Limits that are raised to what the adapter offers; the others keep WebGPU's defaults. */
const RAISED_LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupStorageSize',
] as const;

/** Who the adapter is, as far as the platform tells. */
export interface AdapterDescription {
  vendor: string;
  architecture: string;
  device: string;
  description: string;
  /** `software` for adapters that run on the CPU: kernels have other defaults there. */
  class: 'software' | 'gpu';
  /** Fewest lanes of a subgroup; 0 without the feature `subgroups`. */
  subgroupMinSize: number;
}

/** One kernel launch by name; see {@link Device.run}. */
export interface Launch {
  source: ShaderSource;
  constants?: ConstantValues;
  tensors: Readonly<Record<string, Tensor>>;
  params: ParamValues;
  workgroups: readonly [number, number, number];
  /** What the launch does, for the profiler's rates; nothing where it is not given. */
  work?: Work;
}

const NO_WORK: Work = { flops: 0, bytes: 0 };

/** A GPU with everything that belongs to it. Make one with {@link openDevice}. */
export class Device {
  readonly stream: CommandStream;
  readonly tape: Tape;
  /** All tensors that have not been freed. */
  readonly tensors = new Set<Tensor>();
  private readonly pool: BufferPool;
  private readonly programs: ProgramCache;
  private scopes: Tensor[][] = [];
  private failure: Error | undefined;
  private consequence: string | undefined;
  private closed = false;
  /** What the owner of a wrapped device had set. */
  private readonly ownersErrorHandler: GPUDevice['onuncapturederror'];

  constructor(
    readonly gpu: GPUDevice,
    readonly adapter: AdapterDescription,
    /** Kept referenced: see {@link openAdapter}. */
    readonly instance?: GPU,
  ) {
    const fail = (error: Error) => {
      this.failure ??= error;
    };
    this.ownersErrorHandler = gpu.onuncapturederror;
    gpu.onuncapturederror = (event) => {
      event.preventDefault(); // it is thrown where somebody waits; the platform need not print it as well
      const { error } = event;
      if (error instanceof GPUOutOfMemoryError) {
        const remedy = 'Use a smaller batch or model, or close other programs that use the GPU.';
        return fail(new UserError(`The GPU is out of memory (${error.message}). ${remedy}`));
      }
      // A pipeline that does not compile makes everything after it invalid. The compiler's message, which comes a
      // little later, is the one that helps.
      if (/is invalid due to a previous error|\[Invalid /.test(error.message))
        this.consequence ??= error.message;
      else fail(new GpuError(`WebGPU reported: ${error.message}`));
    };
    gpu.lost.then(({ message }) => {
      if (this.closed) return;
      fail(
        new DeviceLostError(
          `The GPU device was lost (${message || 'no reason given'}). Checkpoints already saved are intact; ` +
            'run the command again, with --resume to go on from the last one.',
        ),
      );
    });
    this.pool = new BufferPool(gpu, () => this.stream.forget());
    this.stream = new CommandStream(
      gpu,
      this.pool,
      () => this.check(),
      () => this.settle(),
    );
    this.programs = new ProgramCache(gpu, fail);
    this.tape = new Tape(this);
  }

  get limits(): GPUSupportedLimits {
    return this.gpu.limits;
  }

  get memory(): MemoryStats {
    return this.pool.stats;
  }

  /** Starts a new measurement of `memory.peakBytes`; buffers kept for reuse are destroyed first. */
  resetPeakMemory(): void {
    this.trim();
    this.pool.resetPeak();
  }

  /** Destroys buffers kept for reuse. */
  trim(): void {
    this.stream.flush();
    this.pool.trim();
  }

  /** Throws what went wrong on the device, if anything did. */
  check(): void {
    if (this.failure) throw this.failure;
  }

  /** Waits for the outcome of pipelines still being compiled, then throws what went wrong, if anything did. */
  private async settle(): Promise<void> {
    await this.programs.settled();
    this.check();
    if (this.consequence) throw new GpuError(`WebGPU reported: ${this.consequence}`);
  }

  /**
   * Runs one kernel: tensors by the names of the shader's bindings, parameters by those of its `struct Params`.
   *
   * @throws Error when a binding is missing or unknown
   */
  run({ source, constants = {}, tensors, params, workgroups, work = NO_WORK }: Launch): void {
    const program = this.programs.get(source, constants);
    const { bindings } = program.interface;
    const buffers = bindings.map(({ name }) => {
      const tensor = tensors[name];
      if (!tensor) throw new Error(`${source.name}: no tensor given for binding '${name}'`);
      return tensor.buffer;
    });
    if (Object.keys(tensors).length !== bindings.length) {
      const names = bindings.map(({ name }) => name).join(', ');
      throw new Error(
        `${source.name}: got tensors for ${Object.keys(tensors).join(', ')}; its bindings are ${names}`,
      );
    }
    this.stream.dispatch({ program, buffers, params, workgroups, work });
  }

  /**
   * Runs `body` and frees the tensors made in it, except those in its result (a tensor, or an array or plain
   * object of them) which pass to the enclosing scope, and what the tape keeps.
   */
  scope<T>(body: () => T): T {
    const made: Tensor[] = [];
    this.scopes.push(made);
    let kept = new Set<Tensor>();
    try {
      const result = body();
      kept = tensorsIn(result);
      return result;
    } finally {
      this.scopes.pop();
      const outer = this.scopes.at(-1);
      for (const tensor of made) {
        if (kept.has(tensor)) outer?.push(tensor);
        else tensor.dispose();
      }
    }
  }

  /** Runs `body` outside all scopes: what it makes lives until it is disposed of. */
  unscoped<T>(body: () => T): T {
    const scopes = this.scopes;
    this.scopes = [];
    try {
      return body();
    } finally {
      this.scopes = scopes;
    }
  }

  /** @internal memory for a tensor, which joins the current scope through {@link adopt} */
  acquire(bytes: number, what: string): PooledBuffer {
    this.check();
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
    return this.pool.acquire(bytes, usage, what);
  }

  /** @internal */
  adopt(tensor: Tensor): void {
    this.tensors.add(tensor);
    this.scopes.at(-1)?.push(tensor);
  }

  /** @internal */
  release(buffer: PooledBuffer): void {
    this.pool.release(buffer);
  }

  /** Frees everything. A device that was brought along stays usable by its owner. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.tape.clear();
    for (const tensor of [...this.tensors]) tensor.dispose();
    this.stream.close();
    this.pool.trim();
    if (this.instance) this.gpu.destroy();
    else this.gpu.onuncapturederror = this.ownersErrorHandler;
  }
}

function tensorsIn(value: unknown): Set<Tensor> {
  if (value instanceof Tensor) return new Set([value]);
  if (value instanceof Map) return tensorsIn([...value.values()]);
  if (Array.isArray(value)) return new Set(value.flatMap((item) => [...tensorsIn(item)]));
  if (value && Object.getPrototypeOf(value) === Object.prototype) return tensorsIn(Object.values(value));
  return new Set();
}

/**
 * Opens the GPU of this machine, in Node (Dawn, from the optional peer `webgpu`) or in a browser.
 *
 * @throws UserError when there is no WebGPU or no adapter; the message says what to do
 */
export async function openDevice(): Promise<Device> {
  const { instance, adapter } = await openAdapter();
  const requiredLimits: Record<string, number> = {};
  for (const limit of RAISED_LIMITS) requiredLimits[limit] = adapter.limits[limit];
  const requiredFeatures = OPTIONAL_FEATURES.filter((feature) => adapter.features.has(feature));
  let gpu: GPUDevice;
  try {
    gpu = await adapter.requestDevice({ requiredFeatures, requiredLimits });
  } catch (cause) {
    throw new UserError(
      `The adapter '${adapter.info.description}' gave no device: ${(cause as Error).message}`,
      { cause },
    );
  }
  return new Device(gpu, describeAdapter(adapter.info, gpu), instance);
}

/** A {@link Device} around a `GPUDevice` that the caller made and goes on owning. */
export function wrapDevice(gpu: GPUDevice): Device {
  return new Device(gpu, describeAdapter(gpu.adapterInfo, gpu));
}

function describeAdapter(info: GPUAdapterInfo, gpu: GPUDevice): AdapterDescription {
  const { vendor, architecture, device, description } = info;
  return {
    vendor,
    architecture,
    device,
    description,
    class: info.isFallbackAdapter ? 'software' : 'gpu',
    subgroupMinSize: gpu.features.has('subgroups') ? info.subgroupMinSize : 0,
  };
}
