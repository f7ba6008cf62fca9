import { resting } from '#gpu';
import type { AdapterDescription } from '../adapter.ts';
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
  /** The longest that a submit should take, in milliseconds; see `Device.submitMs`. */
  submitMs = DEFAULT_SUBMIT_MS;
  readonly completion: Completion;
  private readonly heartbeat = new Heartbeat();
  private readonly waiting: Task[] = [];
  private readonly underWay: UnderWay[] = [];
  private msUnderWay = 0;
  /** Bytes that uploads hold aside: not submitted, and submitted. */
  private staged = 0;
  private stagedUnderWay = 0;
  private nudging = false;
  private readonly reported = new Set<string>();

  constructor(
    private readonly queue: GPUQueue,
    adapterClass: AdapterDescription['class'],
    /** Throws what went wrong on the device. */
    private readonly check: () => void,
  ) {
    this.costs = new CostModel(adapterClass);
    this.completion = new Completion(queue);
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
    this.completion.submits += 1;
    if (this.underWay.length === 0) this.heartbeat.start();
    this.underWay.push(entry);
    this.msUnderWay += entry.ms;
    this.stagedUnderWay += staged;
    this.staged = 0;
    const done = () => this.done();
    resting(this.queue.onSubmittedWorkDone()).then(done, done); // a lost device is reported by itself
  }

  /** Writes host data to a buffer, after all that was put in before; copies what has to wait for that. */
  write(buffer: GPUBuffer, offset: number, data: Uint8Array): void {
    for (let at = 0; at < data.byteLength; at += STAGED_BYTES) {
      const waits = this.full;
      const part = data.subarray(at, at + STAGED_BYTES);
      const bytes = (waits ? part.slice() : part) as Uint8Array<ArrayBuffer>;
      const stage = () => {
        this.queue.writeBuffer(buffer, offset + at, bytes);
        this.staged += bytes.byteLength;
        return true;
      };
      if (waits) this.put({ submitNext: stage });
      else stage();
      if (waits || this.staged >= STAGED_BYTES) this.put({ submitNext: () => this.submitStaged() });
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
    if (ms <= this.submitMs) return 1;
    const most = division ? mostParts(division) : 1;
    if (ms > most * this.submitMs) this.report(kernel);
    return Math.min(most, 2 ** Math.ceil(Math.log2(ms / this.submitMs)));
  }

  /** Submits what waits: as far as there is room, or in a `rush` all of it, however much is under way. */
  advance(rush = false): void {
    try {
      while (this.waiting.length > 0 && (rush || this.hasRoom)) {
        const [task] = this.waiting;
        if (task.ready && !rush) {
          task.ready.then(() => {
            task.ready = undefined;
            this.goOn();
          });
          break;
        }
        this.check();
        if (task.submitNext()) this.waiting.shift();
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

  private report(kernel: string): void {
    const ms = this.costs.seenMs(kernel);
    if (ms <= this.submitMs || this.reported.has(kernel)) return;
    this.reported.add(kernel);
    console.warn(
      `${kernel}: one dispatch takes about ${Math.round(ms)} ms (submitMs is ${this.submitMs}) and cannot be divided ` +
        'further: use a smaller batch',
    );
  }

  private get hasRoom(): boolean {
    return (
      this.msUnderWay < AHEAD * this.submitMs &&
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

  private submitStaged(): true {
    if (this.staged >= STAGED_BYTES) this.submit([], new Cost());
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
