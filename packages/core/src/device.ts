import { freeMemory } from '#gpu';
import type { AdapterDescription, DeviceOptions } from './adapter.ts';
import { boundBuffers } from './bound-buffers.ts';
import { BufferPool, type MemoryStats, type PooledBuffer } from './buffer-pool.ts';
import { CommandStream } from './command-stream.ts';
import { BufferUsage } from './constants.ts';
import type { DeviceLostError } from './errors.ts';
import { UserError } from './errors.ts';
import { Failures } from './failures.ts';
import { type DeviceLimits, limitsOf } from './limits.ts';
import { Plan } from './plan.ts';
import type { Work } from './profiler.ts';
import { type ParamValues, type Program, ProgramCache, type ShaderSource } from './program.ts';
import { Recording } from './recording.ts';
import type { ConstantValues } from './shader.ts';
import type { Division } from './submits/division.ts';
import { Tape } from './tape.ts';
import { Tensor } from './tensor.ts';

/** A way to do an operation: which kernel, and values for its tunables. */
export interface Choice {
  kernel: string;
  settings: Readonly<Record<string, number>>;
}

/** One kernel launch by name; see {@link Device.run}. */
export interface Launch {
  source: ShaderSource;
  constants?: ConstantValues;
  tensors: Readonly<Record<string, Tensor>>;
  params: ParamValues;
  workgroups: readonly [number, number, number];
  /** What the launch does, for the profiler's rates and to predict its time; nothing where it is not given. */
  work?: Work;
  /** How it can be done in parts where it takes longer than a submit should; see {@link Device.submitMs}. */
  division?: Division;
}

const NO_WORK: Work = { flops: 0, bytes: 0 };

/** A GPU with everything that belongs to it. Make one with `openDevice`. */
export class Device {
  readonly stream: CommandStream;
  readonly limits: DeviceLimits;
  readonly tape: Tape;
  /** Ways found best on this device by timing, by operation and shape; empty unless a record was loaded or made. */
  readonly tuning = new Map<string, Choice>();
  /** Kernels that compute wrongly on this device, and what was wrong: operations do without them. */
  readonly unfit = new Map<string, string>();
  /** Texts that stand in for those of the engine's shaders, by name. */
  shaders: ReadonlyMap<string, string> | undefined;
  /** All tensors that have not been freed. */
  readonly tensors = new Set<Tensor>();
  /** @internal */
  readonly pool: BufferPool;
  private readonly programs: ProgramCache;
  private scopes: Tensor[][] = [];
  private readonly plans = new Set<Plan<unknown>>();
  private readonly failures: Failures;
  private closed = false;

  constructor(
    readonly gpu: GPUDevice,
    readonly adapter: AdapterDescription,
    { submitMs, shaders }: DeviceOptions = {},
    /** Kept referenced: see gpu.node.ts. */
    readonly instance?: GPU,
  ) {
    this.failures = new Failures(gpu);
    this.limits = limitsOf(gpu);
    this.pool = new BufferPool(gpu, this.limits, () => this.stream.forget());
    this.stream = new CommandStream(
      gpu,
      adapter.class,
      this.pool,
      () => this.check(),
      (failed) => this.failures.settle(this.programs.settled(), failed),
    );
    this.programs = new ProgramCache(gpu, (error) => this.failures.fail(error));
    this.tape = new Tape();
    this.shaders = shaders;
    if (submitMs !== undefined) this.submitMs = submitMs;
  }

  /**
   * How long the GPU should be busy with one submit, in milliseconds; default 100. Work that is predicted to take longer
   * is submitted in parts, so that the desktop stays usable and no watchdog resets the GPU.
   *
   * @throws UserError when set to anything but a positive number
   */
  get submitMs(): number {
    return this.stream.submits.submitMs;
  }

  set submitMs(ms: number) {
    if (!(ms > 0)) throw new UserError(`submitMs is ${ms}, expected a positive number of milliseconds`);
    this.stream.submits.submitMs = ms;
  }

  /** Bytes that there is room for on the machine, where that is where the tensors are, on software adapters, and it is told: in Node. */
  get freeMemory(): number | undefined {
    return this.adapter.class === 'software' ? freeMemory() : undefined;
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
    this.stream.rush(); // what waits may use buffers that are free already
    this.pool.trim();
  }

  /** Throws what went wrong on the device, if anything did. */
  check(): void {
    this.failures.check();
  }

  /** Resolves when the device is lost (driver reset, unplugged); never when it is closed. */
  get lost(): Promise<DeviceLostError> {
    return this.failures.lost;
  }

  /** @internal the loss that an error comes of, if it does; see {@link Failures.lossBehind} */
  lossBehind(error: unknown): Promise<DeviceLostError | undefined> {
    return this.failures.lossBehind(error);
  }

  /**
   * Runs one kernel: tensors by the names of the shader's bindings, parameters by those of its `struct Params`.
   *
   * @throws UserError as `boundBuffers`
   */
  run({ source, constants = {}, tensors, params, workgroups, work = NO_WORK, division }: Launch): void {
    const program = this.program(source, constants);
    const buffers = boundBuffers(this, source.name, program.shader.bindings, tensors);
    this.stream.dispatch({ program, buffers, params, workgroups, work, division });
  }

  /** A shader with these constants, for this device; `attempt` tells whether it compiles and fails nothing. */
  program(source: ShaderSource, constants: ConstantValues): Program {
    return this.programs.get(source, constants);
  }

  /**
   * Runs `body` and frees the tensors made in it, except those in its result (a tensor, or an array or plain
   * object of them) which pass to the enclosing scope, and what the tape keeps.
   *
   * @throws UserError when `body` is async: what it makes after its first wait would be outside
   */
  scope<T>(body: () => T): T {
    const made: Tensor[] = [];
    this.scopes.push(made);
    let kept = new Set<Tensor>();
    try {
      const result = body();
      expectNoPromise(result);
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

  /**
   * Records what `body` does instead of doing it. The plan runs it as often as it is replayed, on the tensors that
   * existed before, where they are then, and fills the tensors of the result (as in {@link scope}) anew each time.
   * What changes from one replay to the next must be in tensors from outside: `body` runs only now.
   *
   * @throws Error when `body` reads results, replays a plan, or writes host data to tensors from outside
   * @throws UserError when the adapter's limits do not allow a buffer of the step
   */
  record<T>(body: () => T): Plan<T> {
    const { gpu, pool, stream } = this;
    if (stream.recording) throw new Error('a recording within a recording');
    stream.flush();
    const recording = new Recording(pool);
    try {
      const result = this.recordInto(recording, body);
      const own = [...tensorsIn(result)].filter((tensor) => recording.made.has(tensor.buffer));
      const plan = new Plan({ gpu, pool, stream }, recording, result, own, (disposed) =>
        this.plans.delete(disposed),
      );
      this.plans.add(plan);
      return plan;
    } catch (error) {
      for (const tensor of [...this.tensors]) if (recording.made.has(tensor.buffer)) tensor.dispose();
      for (const buffer of recording.captured) pool.unhold(buffer);
      throw error;
    }
  }

  /**
   * Runs `body`, as in {@link scope}. While a step is recorded: what `body` does is done by those replays only that ask for
   * it, so that what is seldom wanted costs nothing else. Its results must be in tensors from outside of the recording.
   *
   * @throws Error, when the recording goes on to read what `body` made
   */
  onDemand(body: () => void): void {
    const { recording } = this.stream;
    const before = recording?.onDemand ?? false;
    if (recording) recording.onDemand = true;
    try {
      this.scope(body);
    } finally {
      if (recording) recording.onDemand = before;
    }
  }

  private recordInto<T>(recording: Recording, body: () => T): T {
    this.stream.recording = recording;
    try {
      return this.unscoped(() => this.scope(body));
    } finally {
      this.stream.recording = undefined;
    }
  }

  /** @internal memory for a tensor, which joins the current scope through {@link adopt} */
  acquire(bytes: number, what: string): PooledBuffer {
    this.check();
    const usage = BufferUsage.STORAGE | BufferUsage.COPY_SRC | BufferUsage.COPY_DST;
    if (this.stream.recording) return this.stream.recording.acquire(bytes, usage);
    return this.pool.acquire(bytes, usage, what);
  }

  /** @internal */
  adopt(tensor: Tensor): void {
    this.tensors.add(tensor);
    this.scopes.at(-1)?.push(tensor);
  }

  /** @internal */
  release(buffer: PooledBuffer): void {
    if (buffer.placed) this.pool.release(buffer);
    else this.stream.recording?.release(buffer);
  }

  /** Frees everything. A device that was brought along stays usable by its owner. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.failures.close();
    this.tape.clear();
    for (const plan of this.plans) plan.dispose();
    for (const tensor of [...this.tensors]) tensor.dispose();
    this.stream.close();
    this.pool.trim();
    if (this.instance) this.gpu.destroy();
  }

  /** For `using`. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/** @throws UserError for what an async function returns */
function expectNoPromise(result: unknown): void {
  if (!(result instanceof Promise)) return;
  result.catch(() => {}); // what goes wrong in it comes of this
  throw new UserError('the body of a scope or a recording must not be async');
}

function tensorsIn(value: unknown): Set<Tensor> {
  if (value instanceof Tensor) return new Set([value]);
  if (value instanceof Map) return tensorsIn([...value.values()]);
  if (Array.isArray(value)) return new Set(value.flatMap((item) => [...tensorsIn(item)]));
  if (value && Object.getPrototypeOf(value) === Object.prototype) return tensorsIn(Object.values(value));
  return new Set();
}
