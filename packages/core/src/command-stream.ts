import type { AdapterDescription } from './adapter.ts';
import type { BufferPool, PooledBuffer } from './buffer-pool.ts';
import { type BatchContext, CommandBatch } from './command-batch.ts';
import { BufferUsage, MapMode } from './constants.ts';
import { PARAMS_STRIDE, ParamBlocks } from './param-blocks.ts';
import { bindGroup, bindGroupKey, type PlannedCommand } from './plan.ts';
import type { BatchTimer, Work } from './profiler.ts';
import type { ParamValues, Program } from './program.ts';
import type { Recording } from './recording.ts';
import { Replay } from './replay.ts';
import { COPY, copyWork } from './submits/cost-model.ts';
import { type Division, divide } from './submits/division.ts';
import { SubmitQueue } from './submits/submit-queue.ts';

/** One dispatch: a program, its buffers in binding order, its parameters and the grid of workgroups. */
export interface Dispatch {
  program: Program;
  buffers: readonly PooledBuffer[];
  params: ParamValues;
  workgroups: readonly [number, number, number];
  /** For the profiler's rates, and to predict how long it takes. */
  work: Work;
  /** How it can be done in parts where it takes too long for one submit; not at all where this is absent. */
  division?: Division;
}

/** Dispatches of a batch. */
export const MAX_DISPATCHES = 512;
/** Different parameters in one uniform buffer; far above what one training step uses. */
const MAX_PARAM_BLOCKS = 512;
/** Larger readbacks are those of weights, all at once and not soon again: their memory is not kept. */
const MAX_KEPT_READBACK = 2 ** 18;
/** Bind groups are made once per (program, parameters, buffers); far above what one training step uses. */
const MAX_BIND_GROUPS = 8192;

/**
 * The one place through which all GPU work goes, in order: dispatches, copies, uploads and readbacks.
 *
 * Work is gathered into a batch (one command buffer, as few passes as possible) and passed on to be submitted when the
 * batch takes as long as a submit may, when an upload must not overtake it, or when something is read. The functions that
 * append do not wait; loops that append without end wait for {@link ready} now and then.
 */
export class CommandStream {
  /** Bounds how long a submit takes, and how much is under way. */
  readonly submits: SubmitQueue;
  private open: CommandBatch | undefined;
  private batch = 0;
  private readonly paramsBuffer: PooledBuffer;
  private readonly params = new ParamBlocks(MAX_PARAM_BLOCKS);
  private readonly bindGroups = new Map<string, GPUBindGroup>();
  /** Times dispatches while there is one; see {@link startProfile}. */
  profiler: BatchTimer | undefined;
  /** Takes commands instead of the GPU while there is one. */
  recording: Recording | undefined;
  /** Dispatches encoded since the device was opened. */
  dispatchCount = 0;

  constructor(
    private readonly device: GPUDevice,
    adapterClass: AdapterDescription['class'],
    private readonly pool: BufferPool,
    /** Throws what went wrong on the device. */
    private readonly check: () => void,
    /** The same, once that is known; see {@link Failures.settle}. */
    private readonly settle: (failed?: boolean) => Promise<void>,
  ) {
    this.submits = new SubmitQueue(device.queue, adapterClass, check);
    this.paramsBuffer = pool.acquire(
      PARAMS_STRIDE * MAX_PARAM_BLOCKS,
      BufferUsage.UNIFORM | BufferUsage.COPY_DST,
      'dispatch parameters',
    );
  }

  /** Appends a dispatch, in parts where it takes too long for a submit; an empty grid does nothing. */
  dispatch(dispatch: Dispatch): void {
    const { program, workgroups, work, division } = dispatch;
    if (workgroups.includes(0)) return;
    this.checkGrid(program, workgroups);
    if (this.recording) {
      this.recording.dispatch(dispatch);
      return;
    }
    const ms = this.submits.costs.dispatchMs(program.name, work);
    const parts = this.submits.partsOf(program.name, ms, division);
    if (division && parts > 1) for (const part of divide(dispatch, division, parts)) this.append(part);
    else this.append(dispatch);
  }

  /** Appends a copy of `bytes` (a multiple of 4) between buffers. */
  copy(source: PooledBuffer, target: PooledBuffer, bytes: number, targetOffset = 0): void {
    const copy = { source, target, bytes, targetOffset };
    if (this.recording) {
      this.recording.copy(copy);
      return;
    }
    const ms = this.submits.costs.dispatchMs(COPY, copyWork(bytes));
    this.batchFor(ms).copy(copy, ms);
    source.lastBatch = this.batch;
    target.lastBatch = this.batch;
  }

  /**
   * Runs planned commands, after all work appended so far and in command buffers of their own.
   *
   * @param ready what has to be over before the first of them is encoded
   * @throws Error while something is recorded: the replay would run now, and never with the recording
   */
  replay(commands: readonly PlannedCommand[], ready?: Promise<void>): void {
    if (this.recording) throw new Error('a recording cannot replay a plan: do in it what the plan recorded');
    this.flush();
    // Only a profiler's room for timestamps limits how many dispatches go into one submit.
    const context = this.batchContext(this.profiler ? MAX_DISPATCHES : Number.POSITIVE_INFINITY);
    const count = (dispatches: number) => {
      this.dispatchCount += dispatches;
    };
    this.submits.put(new Replay(context, commands, count, ready));
  }

  /** Writes host data to a buffer from byte `offset` on, after all work appended so far and before all that follows. */
  upload(target: PooledBuffer, data: ArrayBufferView, offset = 0): void {
    if (this.recording) {
      this.recording.upload(target, data, offset);
      return;
    }
    // The write goes before the batch still being encoded.
    if (target.lastBatch === this.batch) this.flush();
    this.submits.write(target.gpu, offset, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }

  /** The first `bytes` of a buffer, once all work appended so far has run. */
  async read(source: PooledBuffer, bytes: number): Promise<ArrayBuffer> {
    if (this.recording) throw new Error('a recording cannot read: there is nothing before it is replayed');
    const staging = this.pool.acquire(bytes, BufferUsage.MAP_READ | BufferUsage.COPY_DST, 'readback');
    this.copy(source, staging, Math.ceil(bytes / 4) * 4);
    this.flush();
    if (this.submits.full) await this.turn();
    let result: ArrayBuffer;
    try {
      await this.submits.completion.of(staging.gpu.mapAsync(MapMode.READ));
      result = staging.gpu.getMappedRange(0, Math.ceil(bytes / 4) * 4).slice(0, bytes);
    } catch (error) {
      await this.settle(true); // the reason for the failure is the better message
      throw error;
    }
    staging.gpu.unmap();
    if (bytes > MAX_KEPT_READBACK) this.pool.discard(staging);
    else this.pool.release(staging);
    await this.settle();
    return result;
  }

  /** Passes on what has been appended, to be submitted when it is its turn. */
  flush(): void {
    this.check();
    const batch = this.open;
    if (!batch || this.recording) return;
    this.open = undefined;
    this.batch += 1;
    this.params.upload((data, offset) => this.submits.write(this.paramsBuffer.gpu, offset, data));
    const submit = batch.finish();
    this.submits.put({
      submitNext() {
        submit();
        return true;
      },
    });
  }

  /**
   * Resolves when all work appended so far is submitted and there is room for more: loops that wait for it keep the GPU
   * busy without running far ahead of it.
   */
  async ready(): Promise<void> {
    this.flush();
    await this.turn();
  }

  /** Resolves when all work appended so far has run. */
  async finish(): Promise<void> {
    this.flush();
    if (this.submits.full) await this.turn();
    const failed = await this.submits.completion.of(this.device.queue.onSubmittedWorkDone()).then(
      () => false,
      () => true,
    );
    await this.settle(failed);
  }

  /** Submits all that has been appended at once. */
  rush(): void {
    this.flush();
    this.submits.advance(true);
  }

  /** Drops what has not been submitted and gives the parameters' memory back. Nothing may follow. */
  close(): void {
    this.open = undefined;
    this.submits.close();
    this.pool.release(this.paramsBuffer);
  }

  /** Forgets bind groups that hold a buffer about to be destroyed. */
  forget(): void {
    this.bindGroups.clear();
  }

  /** Waits until all work passed on so far is submitted. */
  async turn(): Promise<void> {
    if (await this.submits.turn()) return;
    await this.settle();
    throw new Error('the device was closed');
  }

  private append(dispatch: Dispatch): void {
    const { program, buffers, workgroups, work } = dispatch;
    const ms = this.submits.costs.dispatchMs(program.name, work);
    const group = this.bindGroup(dispatch);
    this.batchFor(ms).dispatch({ program, work, group, workgroups }, ms);
    for (const buffer of buffers) buffer.lastBatch = this.batch;
    this.dispatchCount += 1;
  }

  /** The batch that work of so many milliseconds belongs into. */
  private batchFor(ms: number): CommandBatch {
    if (this.open?.fits(ms) === false) this.flush();
    this.open ??= new CommandBatch(this.batchContext(MAX_DISPATCHES));
    return this.open;
  }

  private batchContext(capacity: number): BatchContext {
    const { device, submits, profiler } = this;
    return { gpu: device, submits, profiler, capacity };
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
