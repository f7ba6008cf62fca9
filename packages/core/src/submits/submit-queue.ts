import type { AdapterDescription } from '../adapter.ts';
import { UserError } from '../errors.ts';
import { Completion } from './completion.ts';
import { Cost, CostModel } from './cost-model.ts';
import { type Division, mostParts } from './division.ts';
import { Heartbeat } from './heartbeat.ts';

/** Work in the queue. */
export interface Task {
  /** Submits the next part of it; returns whether that was the last. */
  submitNext(): boolean;
  /** What has to be over before that. */
  ready?: Promise<void>;
  /** It will not be submitted: the device is lost or closed. */
  dropped?(): void;
}

/** A submit that is not known to be done. */
interface UnderWay {
  cost: Cost;
  /** As predicted. */
  ms: number;
  submittedAt: number;
  /** Bytes that uploads hold aside until it is done. */
  staged: number;
}

const DEFAULT_SUBMIT_MS = 100;
/** Submits go out while less than so many times `submitMs` is under way, in fewer than so many submits. */
const AHEAD = 2;
const MOST_UNDER_WAY = 16;
/** Uploads are submitted after so many bytes, and no submit goes out while so many bytes are on their way. */
const STAGED_BYTES = 8 * 2 ** 20;
const MOST_STAGED_BYTES = 4 * STAGED_BYTES;

/**
 * Everything on its way to the GPU, in order. A GPU that is busy with one submit for long freezes the desktop, and some
 * systems reset it after two seconds. So work goes out in submits of predicted length, and few of them are under way at a
 * time; what comes meanwhile waits here, and goes out as earlier work is done.
 */
export class SubmitQueue {
  readonly costs: CostModel;
  private limitMs = DEFAULT_SUBMIT_MS;
  private readonly completion: Completion;
  private readonly heartbeat = new Heartbeat();
  private readonly waiting: Task[] = [];
  private readonly underWay: UnderWay[] = [];
  private msUnderWay = 0;
  /** Bytes that uploads hold aside: not submitted, and submitted. */
  private staged = 0;
  private stagedUnderWay = 0;
  private submits = 0;
  private nudging = false;
  /** The task at the head whose readiness is waited for. */
  private awaited: Task | undefined;
  private readonly reported = new Set<string>();

  constructor(
    private readonly queue: GPUQueue,
    adapterClass: AdapterDescription['class'],
    /** Throws what went wrong on the device. */
    private readonly check: () => void,
  ) {
    this.costs = new CostModel(adapterClass);
    this.completion = new Completion(
      queue,
      () => this.submits,
      () => this.underWay.length > 0,
    );
  }

  /** The longest that a submit should take, in milliseconds. */
  get submitMs(): number {
    return this.limitMs;
  }

  /** @throws UserError unless it is a positive number */
  set submitMs(ms: number) {
    if (!(ms > 0)) throw new UserError(`submitMs is ${ms}, expected a positive number of milliseconds`);
    this.limitMs = ms;
  }

  /** Whether something waits for its turn. */
  get full(): boolean {
    return this.waiting.length > 0;
  }

  /** Submits a task part by part, as far as there is room now. */
  put(task: Task): void {
    this.waiting.push(task);
    this.advance();
  }

  /** Submits commands at once: for tasks, when it is their turn. */
  submit(commands: readonly GPUCommandBuffer[], cost: Cost): void {
    const { staged } = this;
    const entry = { cost, ms: this.costs.ms(cost), submittedAt: performance.now(), staged };
    this.queue.submit(commands);
    this.submits += 1;
    if (this.underWay.length === 0) this.heartbeat.start();
    this.underWay.push(entry);
    this.msUnderWay += entry.ms;
    this.stagedUnderWay += staged;
    this.staged = 0;
    const done = () => this.done();
    this.queue.onSubmittedWorkDone().then(done, done); // a lost device is reported by itself
  }

  /** Writes host data to a buffer, after all that was put in before; copies what has to wait for that. */
  write(buffer: GPUBuffer, offset: number, data: Uint8Array): void {
    for (let at = 0; at < data.byteLength; at += STAGED_BYTES) {
      const part = data.subarray(at, at + STAGED_BYTES);
      if (!this.full) this.stage(buffer, offset + at, part);
      else this.putStaging(buffer, offset + at, part.slice());
      if (this.staged >= STAGED_BYTES && !this.full) this.put({ submitNext: () => this.submitStaged() });
    }
  }

  /**
   * Resolves when all that was put in before is submitted and there is room for more: to true, or to false when it was
   * dropped.
   */
  turn(): Promise<boolean> {
    return new Promise((resolve) => {
      this.put({
        submitNext() {
          resolve(true);
          return true;
        },
        dropped: () => resolve(false),
      });
    });
  }

  /** The result of something that is over when submitted work is done, noticed promptly. */
  notice<T>(promise: Promise<T>): Promise<T> {
    return this.completion.of(promise);
  }

  /** Submits all that waits, however much is under way. */
  rush(): void {
    this.advance(true);
  }

  /** Drops what waits. Nothing may follow. */
  close(): void {
    this.drop();
    this.heartbeat.stop();
  }

  /**
   * In how many parts a dispatch of `ms` is to be done, so that each has room in a submit: powers of two, lest ever new
   * divisions are made as predictions change. What takes too long even so is reported, once a kernel.
   */
  partsOf(kernel: string, ms: number, division: Division | undefined): number {
    if (ms <= this.limitMs) return 1;
    const most = division ? mostParts(division) : 1;
    if (ms > most * this.limitMs) this.report(kernel);
    return Math.min(most, 2 ** Math.ceil(Math.log2(ms / this.limitMs)));
  }

  private advance(rush = false): void {
    try {
      while (this.waiting.length > 0 && (rush || (this.hasRoom && this.isReady(this.waiting[0])))) {
        this.check();
        if (this.waiting[0].submitNext()) this.waiting.shift();
      }
    } catch (error) {
      this.drop();
      throw error;
    }
    this.nudge();
  }

  /** Goes on as far as there is room now. What is wrong is thrown to whoever asks for work next. */
  private goOn(): void {
    try {
      this.advance();
    } catch {}
  }

  /** Whether a task may begin; else it will be seen to when it may. */
  private isReady(task: Task): boolean {
    const { ready } = task;
    if (ready && this.awaited !== task) {
      this.awaited = task;
      ready.then(() => {
        task.ready = undefined;
        this.goOn();
      });
    }
    return !ready;
  }

  private report(kernel: string): void {
    const ms = this.costs.seenMs(kernel);
    if (ms <= this.limitMs || this.reported.has(kernel)) return;
    this.reported.add(kernel);
    console.warn(
      `${kernel}: one dispatch takes about ${Math.round(ms)} ms on this GPU and cannot be divided any further; a submit ` +
        `should take no longer than ${this.limitMs} ms (submitMs). Use a smaller batch.`,
    );
  }

  private get hasRoom(): boolean {
    return (
      this.msUnderWay < AHEAD * this.limitMs &&
      this.underWay.length < MOST_UNDER_WAY &&
      this.stagedUnderWay < MOST_STAGED_BYTES
    );
  }

  /** The oldest submit is done. */
  private done(): void {
    const { cost, ms, submittedAt, staged } = this.underWay.shift() as UnderWay;
    const last = this.underWay.length === 0;
    this.msUnderWay = last ? 0 : this.msUnderWay - ms;
    this.stagedUnderWay -= staged;
    const now = performance.now();
    const { latencyMs } = this.completion;
    this.costs.done(cost, submittedAt, { now, lateMs: this.heartbeat.lateMs(now), latencyMs, last });
    if (last) this.heartbeat.stop();
    this.goOn();
  }

  private drop(): void {
    for (const task of this.waiting.splice(0)) task.dropped?.();
    this.nudge();
  }

  private stage(buffer: GPUBuffer, offset: number, data: Uint8Array): void {
    this.queue.writeBuffer(buffer, offset, data as Uint8Array<ArrayBuffer>);
    this.staged += data.byteLength;
  }

  private putStaging(buffer: GPUBuffer, offset: number, data: Uint8Array): void {
    this.put({
      submitNext: () => {
        this.stage(buffer, offset, data);
        return this.staged < STAGED_BYTES || this.submitStaged();
      },
    });
  }

  private submitStaged(): true {
    this.submit([], new Cost());
    return true;
  }

  /** Has the platform nudged while something here waits for submitted work. */
  private nudge(): void {
    const wanted = this.full && this.underWay.length > 0;
    if (this.nudging === wanted) return;
    this.nudging = wanted;
    if (wanted) this.completion.begin();
    else this.completion.end();
  }
}
