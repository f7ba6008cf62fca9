/** How fast a run is, and how long it will take on. */

/** What a run has to do yet. */
export interface Ahead {
  steps: number;
  evaluations: number;
}

/** What is left of a measurement's weight after each later step: some fifty steps count. */
const FADING = 0.98;

/** Steps that must have been measured before anything is said. */
const ENOUGH = 3;

/** What steps and evaluations take, of late. Pauses count for nothing. */
export class Pace {
  /** Whether the first steps are done, during which kernels are compiled and checked. */
  private warm = false;
  private measured = 0;
  /** Sums in which what is long ago counts less. */
  private readonly recent = { steps: 0, ms: 0 };
  private evaluationMs: number | undefined;

  /** So many steps have come back since the last time, in so many milliseconds. */
  steps(steps: number, ms: number): void {
    if (steps > 0 && this.warm) {
      const fading = FADING ** steps;
      this.recent.steps = this.recent.steps * fading + steps;
      this.recent.ms = this.recent.ms * fading + ms;
      this.measured += steps;
    }
    this.warm ||= steps > 0;
  }

  evaluation(ms: number): void {
    this.evaluationMs = ms;
  }

  /** Undefined before some steps have been measured. */
  get stepsPerSecond(): number | undefined {
    const { steps, ms } = this.recent;
    return this.measured < ENOUGH || ms === 0 ? undefined : (1000 * steps) / ms;
  }

  /** Undefined before some steps have been measured. */
  secondsLeft({ steps, evaluations }: Ahead): number | undefined {
    const rate = this.stepsPerSecond;
    if (!rate) return undefined;
    return steps / rate + (evaluations * (this.evaluationMs ?? 0)) / 1000;
  }
}

/** What lies between a step and the end of a run with an evaluation every `evalEvery` steps and one at its end. */
export function aheadOf(step: number, total: number, evalEvery: number): Ahead {
  const upTo = (at: number) => Math.floor(at / evalEvery);
  const last = total % evalEvery === 0 || step === total ? 0 : 1;
  return { steps: total - step, evaluations: upTo(total) - upTo(step) + last };
}

/** Seconds as somebody would say them: rough, as estimates are. */
export function inWords(seconds: number): string {
  if (seconds < 10) return 'a few seconds';
  if (seconds < 55) return `about ${5 * Math.round(seconds / 5)} seconds`;
  const minutes = seconds / 60;
  if (minutes < 1.5) return 'about a minute';
  if (minutes < 55) return `about ${Math.round(minutes)} minutes`;
  const hours = minutes / 60;
  if (hours < 1.25) return 'about an hour';
  return hours < 10 ? `about ${Math.round(hours * 2) / 2} hours` : `about ${Math.round(hours)} hours`;
}
