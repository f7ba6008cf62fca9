import type { BufferPool, PooledBuffer } from './buffer-pool.ts';
import { BufferUsage, MapMode } from './constants.ts';
import { PARAMS_STRIDE, ParamBlocks } from './param-blocks.ts';
import { bindGroup, bindGroupKey, type PlannedCommand } from './plan.ts';
import { type KernelTime, Profiler, type Work } from './profiler.ts';
import type { ParamValues, Program } from './program.ts';
import type { Recording } from './recording.ts';

/** One dispatch: a program, its buffers in binding order, its parameters and the grid of workgroups. */
export interface Dispatch {
  program: Program;
  buffers: readonly PooledBuffer[];
  params: ParamValues;
  workgroups: readonly [number, number, number];
  /** For the profiler's rates. */
  work: Work;
}

/** Dispatches of a batch. */
const MAX_DISPATCHES = 512;
/** Different parameters in one uniform buffer; far above what one training step uses. */
const MAX_PARAM_BLOCKS = 512;
/** Bind groups are made once per (program, parameters, buffers); far above what one training step uses. */
const MAX_BIND_GROUPS = 8192;

/**
 * The one place through which all GPU work goes, in order: dispatches, copies, uploads and readbacks.
 *
 * Work is gathered into a batch (one command buffer, as few passes as possible) and submitted when the batch is
 * full, when an upload must not overtake it, or when something is read.
 */
export class CommandStream {
  private encoder: GPUCommandEncoder | undefined;
  private pass: GPUComputePassEncoder | undefined;
  private batch = 0;
  private dispatchesInBatch = 0;
  private readonly paramsBuffer: PooledBuffer;
  private readonly params = new ParamBlocks(MAX_PARAM_BLOCKS);
  private readonly bindGroups = new Map<string, GPUBindGroup>();
  private profiler: Profiler | undefined;
  /** Takes commands instead of the GPU while there is one. */
  recording: Recording | undefined;
  /** Dispatches encoded since the device was opened. */
  dispatchCount = 0;

  constructor(
    private readonly device: GPUDevice,
    private readonly pool: BufferPool,
    /** Throws what went wrong on the device. */
    private readonly check: () => void,
    /** The same, once it is known whether all pipelines compiled. */
    private readonly settle: () => Promise<void>,
  ) {
    this.paramsBuffer = pool.acquire(
      PARAMS_STRIDE * MAX_PARAM_BLOCKS,
      BufferUsage.UNIFORM | BufferUsage.COPY_DST,
      'dispatch parameters',
    );
  }

  /** Appends a dispatch; an empty grid does nothing. */
  dispatch(dispatch: Dispatch): void {
    const { program, buffers, workgroups, work } = dispatch;
    if (workgroups.includes(0)) return;
    this.checkGrid(program, workgroups);
    if (this.recording) {
      this.recording.dispatch(dispatch);
      return;
    }
    const group = this.bindGroup(dispatch);
    const pass = this.passFor(program.name, work);
    this.dispatchesInBatch += 1;
    pass.setPipeline(program.pipeline);
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(...workgroups);
    for (const buffer of buffers) buffer.lastBatch = this.batch;
    this.dispatchCount += 1;
  }

  /** Appends a copy of `bytes` (a multiple of 4) between buffers. */
  copy(source: PooledBuffer, target: PooledBuffer, bytes: number, targetOffset = 0): void {
    if (this.recording) {
      this.recording.copy({ source, target, bytes, targetOffset });
      return;
    }
    this.closePass();
    this.openEncoder().copyBufferToBuffer(source.gpu, 0, target.gpu, targetOffset, bytes);
    source.lastBatch = this.batch;
    target.lastBatch = this.batch;
  }

  /**
   * Runs planned commands, after all work appended so far and as a command buffer of their own.
   *
   * @throws Error while something is recorded: the replay would run now, and never with the recording
   */
  replay(commands: readonly PlannedCommand[], dispatches: number): void {
    if (this.recording) throw new Error('a recording cannot replay a plan: do in it what the plan recorded');
    this.flush();
    let previous: GPUComputePipeline | undefined;
    for (const command of commands) {
      if ('source' in command) {
        this.copy(command.source, command.target, command.bytes, command.targetOffset);
        previous = undefined; // what follows is another pass
        continue;
      }
      const { pipeline, group, workgroups } = command;
      if (this.profiler) previous = undefined;
      const pass = this.passFor(command.name, command.work);
      if (this.profiler) this.dispatchesInBatch++; // a place for timestamps
      if (pipeline !== previous) pass.setPipeline(pipeline);
      previous = pipeline;
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(workgroups[0], workgroups[1], workgroups[2]);
    }
    this.dispatchCount += dispatches;
    this.flush();
  }

  /** Writes host data to a buffer from byte `offset` on, after all work appended so far and before all that follows. */
  upload(target: PooledBuffer, data: ArrayBufferView, offset = 0): void {
    if (this.recording) {
      this.recording.upload(target, data, offset);
      return;
    }
    // writeBuffer takes effect at once, that is before the batch still being encoded.
    if (target.lastBatch === this.batch) this.flush();
    this.device.queue.writeBuffer(
      target.gpu,
      offset,
      data.buffer as ArrayBuffer,
      data.byteOffset,
      data.byteLength,
    );
  }

  /** The first `bytes` of a buffer, once all work appended so far has run. */
  async read(source: PooledBuffer, bytes: number): Promise<ArrayBuffer> {
    if (this.recording) throw new Error('a recording cannot read: there is nothing before it is replayed');
    const staging = this.pool.acquire(bytes, BufferUsage.MAP_READ | BufferUsage.COPY_DST, 'readback');
    this.copy(source, staging, Math.ceil(bytes / 4) * 4);
    this.flush();
    try {
      await staging.gpu.mapAsync(MapMode.READ);
    } catch (error) {
      await this.settle(); // the reason for the failure is the better message
      throw error;
    }
    const result = staging.gpu.getMappedRange(0, Math.ceil(bytes / 4) * 4).slice(0, bytes);
    staging.gpu.unmap();
    this.pool.release(staging);
    await this.settle();
    return result;
  }

  /** Submits what has been appended. */
  flush(): void {
    this.check();
    if (!this.encoder || this.recording) return;
    this.closePass();
    this.params.upload((data, offset) =>
      this.device.queue.writeBuffer(this.paramsBuffer.gpu, offset, data as Uint8Array<ArrayBuffer>),
    );
    const readTimestamps = this.profiler?.closeBatch(this.encoder);
    this.device.queue.submit([this.encoder.finish()]);
    readTimestamps?.();
    this.encoder = undefined;
    this.dispatchesInBatch = 0;
    this.batch += 1;
  }

  /** Resolves when all work appended so far has run. */
  async finish(): Promise<void> {
    this.flush();
    await this.device.queue.onSubmittedWorkDone();
    await this.settle();
  }

  /** Resolves when all work submitted so far has run; says nothing of how it went. */
  submitted(): Promise<void> {
    return this.device.queue.onSubmittedWorkDone().then(
      () => {},
      () => {}, // the device is lost, which is reported by itself
    );
  }

  /** Times every dispatch from now on until the result is called, which gives the times by kernel. */
  startProfile(): () => Promise<KernelTime[]> {
    this.flush();
    const profiler = new Profiler(this.device, this.pool, MAX_DISPATCHES);
    this.profiler = profiler;
    return async () => {
      this.flush();
      this.profiler = undefined;
      const times = await profiler.times();
      profiler.destroy();
      return times;
    };
  }

  /** Drops what has not been submitted and gives the parameters' memory back. Nothing may follow. */
  close(): void {
    this.pass = undefined;
    this.encoder = undefined;
    this.pool.release(this.paramsBuffer);
  }

  /** Forgets bind groups that hold a buffer about to be destroyed. */
  forget(): void {
    this.bindGroups.clear();
  }

  private openEncoder(): GPUCommandEncoder {
    this.encoder ??= this.device.createCommandEncoder();
    return this.encoder;
  }

  /** The pass that the next dispatch belongs into. */
  private passFor(name: string, work: Work): GPUComputePassEncoder {
    if (this.dispatchesInBatch === MAX_DISPATCHES) this.flush();
    if (this.profiler) {
      this.closePass(); // timestamps belong to passes
      const timestampWrites = this.profiler.timestamps(name, work);
      this.pass = this.openEncoder().beginComputePass({ timestampWrites });
    }
    this.pass ??= this.openEncoder().beginComputePass();
    return this.pass;
  }

  private closePass(): void {
    this.pass?.end();
    this.pass = undefined;
  }

  private bindGroup(dispatch: Dispatch): GPUBindGroup {
    const offset = this.placeParams(dispatch);
    const key = bindGroupKey(dispatch, offset);
    let group = this.bindGroups.get(key);
    if (!group) {
      if (this.bindGroups.size >= MAX_BIND_GROUPS) this.bindGroups.clear();
      group = bindGroup(this.device, dispatch, this.paramsBuffer, offset);
      this.bindGroups.set(key, group);
    }
    return group;
  }

  private placeParams({ program, params }: Dispatch): number {
    const offset = this.params.place(program, params);
    if (offset !== undefined) return offset;
    this.flush(); // what has been appended needs the blocks as they are
    this.params.clear();
    return this.params.place(program, params) as number;
  }

  private checkGrid(program: Program, workgroups: readonly number[]): void {
    const limit = this.device.limits.maxComputeWorkgroupsPerDimension;
    if (workgroups.every((count) => Number.isInteger(count) && count <= limit)) return;
    throw new Error(
      `${program.name}: a grid of ${workgroups.join('×')} workgroups; each dimension must be a whole number of at ` +
        `most ${limit} (maxComputeWorkgroupsPerDimension)`,
    );
  }
}
