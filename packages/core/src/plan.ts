import type { BufferPool, PooledBuffer } from './buffer-pool.ts';
import type { EncodedDispatch } from './command-batch.ts';
import type { CommandStream, Dispatch } from './command-stream.ts';
import { BufferUsage } from './constants.ts';
import { placeLifetimes } from './lifetimes.ts';
import { PARAMS_STRIDE, ParamBlocks } from './param-blocks.ts';
import type { Copy, RecordedBuffer, Recording } from './recording.ts';
import { type Division, divide } from './submits/division.ts';
import type { Tensor } from './tensor.ts';

/** A dispatch with everything that WebGPU wants, made once. */
export interface PlannedDispatch extends EncodedDispatch {
  division: Division | undefined;
  /** The same in so many parts, made when they are asked for first. */
  divided(parts: number): readonly EncodedDispatch[];
}

export type PlannedCommand = PlannedDispatch | Copy;

/** What a plan is made with. */
export interface PlanContext {
  gpu: GPUDevice;
  pool: BufferPool;
  stream: CommandStream;
}

/**
 * A recorded step, ready to be run again and again; made by {@link Device.record}. Buffers used in passing share
 * memory where their lifetimes allow, those of the result have their own; parameters lie in one uniform buffer; bind
 * groups are made here. What the step uses from outside is kept from reuse as long as the plan is there. A replay
 * creates nothing but the command encoder, passes and command buffer, which WebGPU makes single-use.
 */
export class Plan<T> {
  /** @internal What a replay does, in order, with what is on demand. */
  readonly commands: readonly PlannedCommand[];
  /** The same without what is on demand. */
  private readonly standing: readonly PlannedCommand[];
  /** Memory that no tensor has: shared places and parameters. */
  private readonly owned: PooledBuffer[] = [];
  /** Buffers of tensors made in the recording. A tensor of the result may outlive the plan, and other plans hold them. */
  private readonly held: PooledBuffer[] = [];
  /** Buffers from outside, held since the recording used them. */
  private readonly captured: ReadonlySet<PooledBuffer>;
  private disposed = false;
  /** The compilation of its pipelines, all side by side, until it is over. */
  private preparing: Promise<void> | undefined;

  constructor(
    private readonly context: PlanContext,
    recording: Recording,
    /** What the recorded function returned: its tensors hold the contents of the last replay. */
    readonly result: T,
    private readonly resultTensors: readonly Tensor[],
    private readonly onDispose: (plan: Plan<unknown>) => void,
  ) {
    try {
      this.placeBuffers(recording.made);
      this.commands = this.plan(recording);
      this.standing = this.commands.filter((_, i) => !recording.commands[i].onDemand);
    } catch (error) {
      this.free();
      throw error;
    }
    this.captured = recording.captured;
    this.preparing = this.prepare();
  }

  /**
   * Runs the step once more, after all work appended to the stream so far. Does not wait for the GPU.
   *
   * @param onDemand with what was recorded in {@link Device.onDemand}
   */
  replay(onDemand = false): void {
    if (this.disposed) throw new Error('this plan has been disposed of');
    this.context.stream.replay(onDemand ? this.commands : this.standing, this.preparing);
  }

  /** Frees the plan's memory, its result included; what other plans use of it stays as it is until they are gone. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    for (const tensor of this.resultTensors) tensor.dispose();
    this.free();
    for (const buffer of this.captured) this.context.pool.unhold(buffer);
    this.onDispose(this);
  }

  /** For `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Has all pipelines compiled that are not, side by side. */
  private prepare(): Promise<void> | undefined {
    const missing = this.commands.flatMap((command) =>
      'program' in command ? (command.program.prepare() ?? []) : [],
    );
    if (missing.length === 0) return undefined;
    return Promise.all(missing).then(() => {
      this.preparing = undefined;
    });
  }

  private free(): void {
    const { pool } = this.context;
    for (const buffer of this.owned) pool.release(buffer);
    for (const buffer of this.held) pool.unhold(buffer);
  }

  /** Gives every buffer that the recording made a place in GPU memory. */
  private placeBuffers(made: ReadonlyMap<PooledBuffer, RecordedBuffer>): void {
    const { pool, stream } = this.context;
    const shared = [...made].filter(([, use]) => use.freed && !use.constant && use.last >= 0);
    const { places, placeOf } = placeLifetimes(
      shared.map(([{ bytes }, { first, last }]) => ({ bytes, first, last })),
    );
    const usage = BufferUsage.STORAGE | BufferUsage.COPY_SRC | BufferUsage.COPY_DST;
    const buffers = places.map((bytes) => this.own(bytes, usage, 'shared by recorded tensors'));
    for (const [i, [buffer]] of shared.entries()) buffer.placeAt(buffers[placeOf[i]].gpu);
    for (const [buffer, { freed, constant }] of made) {
      if (freed && !constant) continue;
      pool.place(buffer, 'recorded tensor');
      pool.hold(buffer);
      this.held.push(buffer);
      if (freed) pool.release(buffer); // by its tensor: it goes when the plan does
      if (constant) stream.upload(buffer, constant);
    }
  }

  private own(bytes: number, usage: GPUBufferUsageFlags, what: string): PooledBuffer {
    const buffer = this.context.pool.acquire(bytes, usage, what);
    this.owned.push(buffer);
    return buffer;
  }

  private plan({ commands }: Recording): PlannedCommand[] {
    const dispatches = commands.filter((command): command is Dispatch => 'program' in command);
    const params = this.uploadParams(dispatches);
    const groups = new Map<string, GPUBindGroup>();
    const group = (dispatch: Dispatch) => {
      const offset = params.offsets.get(dispatch) as number;
      const key = bindGroupKey(dispatch, offset);
      const present = groups.get(key);
      if (present) return present;
      const made = bindGroup(this.context.gpu, dispatch, params.buffer, offset);
      groups.set(key, made);
      return made;
    };
    return commands.map((command) =>
      'program' in command ? this.planned(command, group(command)) : command,
    );
  }

  private planned(dispatch: Dispatch, group: GPUBindGroup): PlannedDispatch {
    const { division } = dispatch;
    const whole = encoded(dispatch, group);
    const made = new Map<number, readonly EncodedDispatch[]>([[1, [whole]]]);
    return {
      ...whole,
      division,
      divided: (parts) => {
        let divided = made.get(parts);
        if (!divided) {
          divided = this.encodeParts(divide(dispatch, division as Division, parts));
          made.set(parts, divided);
        }
        return divided;
      },
    };
  }

  /** The parts of a dispatch, with a buffer of parameters of their own. */
  private encodeParts(parts: readonly Dispatch[]): EncodedDispatch[] {
    const { gpu, pool } = this.context;
    const blocks = new ParamBlocks(parts.length);
    const offsets = parts.map(({ program, params }) => blocks.place(program, params) as number);
    // Filled at once, and no pooled buffer: what waits in the queue may use those until it has been submitted.
    const buffer = pool.filled(blocks.contents, BufferUsage.UNIFORM, 'parameters of divided dispatches');
    if (this.disposed) pool.release(buffer);
    else this.owned.push(buffer);
    return parts.map((part, i) => encoded(part, bindGroup(gpu, part, buffer, offsets[i])));
  }

  /** One uniform buffer for all parameters. */
  private uploadParams(dispatches: readonly Dispatch[]) {
    const blocks = new ParamBlocks(Math.max(1, dispatches.length));
    const offsets = new Map<Dispatch, number>();
    for (const dispatch of dispatches) {
      offsets.set(dispatch, blocks.place(dispatch.program, dispatch.params) as number);
    }
    const usage = BufferUsage.UNIFORM | BufferUsage.COPY_DST;
    const buffer = this.own(Math.max(PARAMS_STRIDE, blocks.bytes), usage, 'recorded dispatch parameters');
    blocks.upload((data) => this.context.stream.upload(buffer, data));
    return { buffer, offsets };
  }
}

function encoded({ program, work, workgroups }: Dispatch, group: GPUBindGroup): EncodedDispatch {
  return { program, work, group, workgroups };
}

/** Equal for dispatches that can share a bind group. */
export function bindGroupKey({ program, buffers }: Dispatch, paramsOffset: number): string {
  let key = `${program.id},${paramsOffset}`;
  for (const buffer of buffers) key += `,${buffer.id}`;
  return key;
}

/** The bind group of a dispatch: its parameters in the buffer `params` at binding 0, then the buffers in order. */
export function bindGroup(
  gpu: GPUDevice,
  { program, buffers }: Dispatch,
  params: PooledBuffer,
  paramsOffset: number,
): GPUBindGroup {
  return gpu.createBindGroup({
    label: program.name,
    layout: program.layout,
    entries: [
      { binding: 0, resource: { buffer: params.gpu, offset: paramsOffset, size: PARAMS_STRIDE } },
      ...buffers.map((buffer, i) => ({
        binding: i + 1,
        // A place may be larger than the buffer: bounds are those of the tensor.
        resource: { buffer: buffer.gpu, size: buffer.bytes },
      })),
    ],
  });
}
