/** The page's side of the worker that measures states. */
import { type Remote, transfer } from 'comlink';
import type { ToldSegment } from '../engine/api.ts';
import { startWorker } from '../workers/start.ts';
import type { Look } from './measure.ts';
import type { Measurer } from './measurer.ts';

/** Started when it is first needed. */
let remote: Remote<Measurer> | undefined;
let thoughts = 0;

/** The states of a thought, on their way from the worker that computes to the one that measures. */
export class Thought {
  private readonly number = ++thoughts;
  private readonly remote: Remote<Measurer>;

  /** Takes the place of the one before. */
  constructor(hiddenSize: number) {
    remote ??= startWorker<Measurer>('measure').remote;
    this.remote = remote;
    this.remote.begin(this.number, hiddenSize);
  }

  /** Takes the states of a segment away: nobody else can read them any more. */
  add({ steps, states }: ToldSegment): void {
    const moved = steps.map(({ level }, i) => ({ level, state: states[i] }));
    this.remote.add(
      this.number,
      transfer(
        moved,
        states.map(({ buffer }) => buffer as ArrayBuffer),
      ),
    );
  }

  /** What the segments so far show; undefined before the first, and once there is a later thought. */
  look(): Promise<Look | undefined> {
    return this.remote.look(this.number);
  }
}
