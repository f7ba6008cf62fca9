/** What is measured of the states of one puzzle's thought. It takes seconds for a large model: the page has it done in a worker. */
import type { Projection } from 'hrm-webgpu/inside';
import { CovarianceSums, Gram, participationRatio, principalComponents } from 'hrm-webgpu/inside';

type Level = 'H' | 'L';

/** What has been found by the end of a segment. */
export interface Look {
  /** The segments that it is of: the first so many. */
  segments: number;
  /** After each of them, over all rows so far. */
  participation: { segment: number; rows: number; H: number; L: number }[];
  /** Where the state stands after each step of its module, in the two components along which it varies most. */
  trajectory: Record<Level, Projection>;
}

/** A step's module and what it made of its state [T, D]. */
export interface StepState {
  level: Level;
  state: Float32Array;
}

/** More states than this are not looked at: of a maze 30×30 they are those of some twenty segments. */
const MOST_BYTES = 2 ** 28;
/** Steps of a module; the components of more take seconds after each segment. */
const MOST_STEPS = 128;

/**
 * The states of a thought. The rows of the participation ratios are those of `measureParticipation`'s `positions`: after each H step the D numbers of
 * every position, of z_H and of z_L at the same times.
 */
export class Measure {
  private readonly sums: Record<Level, CovarianceSums>;
  private readonly grams: Record<Level, Gram> = { H: new Gram(), L: new Gram() };
  private readonly steps: Record<Level, number> = { H: 0, L: 0 };
  private readonly participation: Look['participation'] = [];
  /** What has been told, and not yet been looked at. */
  private waiting: StepState[][] = [];
  private bytes = 0;
  private full = false;

  constructor(hiddenSize: number) {
    this.sums = { H: new CovarianceSums(hiddenSize), L: new CovarianceSums(hiddenSize) };
  }

  /** Takes the states of the next segment; they belong to it from now on. */
  add(steps: StepState[]): void {
    this.bytes += steps.reduce((sum, { state }) => sum + state.byteLength, 0);
    this.steps.H += steps.filter(({ level }) => level === 'H').length;
    this.steps.L += steps.filter(({ level }) => level === 'L').length;
    this.full ||= this.bytes > MOST_BYTES || Math.max(this.steps.H, this.steps.L) > MOST_STEPS;
    if (!this.full) this.waiting.push(steps);
  }

  /** What the segments so far show; undefined before the first. */
  look(): Look | undefined {
    for (const steps of this.waiting.splice(0)) this.take(steps);
    const { participation } = this;
    if (participation.length === 0) return undefined;
    return {
      segments: participation.length,
      participation: [...participation],
      trajectory: { H: principalComponents(this.grams.H), L: principalComponents(this.grams.L) },
    };
  }

  private take(steps: StepState[]): void {
    const { sums } = this;
    steps.forEach(({ level, state }, i) => {
      this.grams[level].add(state);
      if (level === 'L') return;
      sums.H.add(state);
      sums.L.add(steps[i - 1].state);
    });
    this.participation.push({
      segment: this.participation.length + 1,
      rows: sums.H.count,
      H: participationRatio(sums.H.covariance()),
      L: participationRatio(sums.L.covariance()),
    });
  }
}
