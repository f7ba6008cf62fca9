import { largest } from '../comparison.ts';
import { ORDERS_MARGIN } from './envelope.ts';

/** Of max(1, the largest |q|): what rounding alone may do to q in one segment (see eval.ts). */
const ROUNDING = 2e-5;

/**
 * Which rows of a trace halt for a reason. Where q_halt and q_continue are as good as equal, rounding decides, and from
 * there on the row may be at another step, or another puzzle, than the published one: it is not judged any more.
 */
export class Halting {
  /** Rows and steps from which on they are not judged, in words. */
  readonly remarks: string[] = [];
  private readonly undecided = new Set<number>();
  private rowSteps = 0;
  private judgedRowSteps = 0;

  constructor(private readonly rows: number) {}

  /** Takes in q [rows, 2] of a step, and of the same step in the other order of summation. */
  see(step: number, q: Float32Array, other: Float32Array): void {
    const scale = largest(q, 1);
    for (let row = 0; row < this.rows; row++) {
      if (this.undecided.has(row)) continue;
      const gap = q[2 * row] - q[2 * row + 1];
      const difference = Math.abs(gap - (other[2 * row] - other[2 * row + 1]));
      if (Math.abs(gap) > ORDERS_MARGIN * difference + ROUNDING * scale) continue;
      this.undecided.add(row);
      const found = `q_halt − q_continue = ${gap.toExponential(1)}`;
      this.remarks.push(`row ${row} is not judged from step ${step} on: ${found}`);
    }
    this.rowSteps += this.rows;
    this.judgedRowSteps += this.rows - this.undecided.size;
  }

  isJudged(row: number): boolean {
    return !this.undecided.has(row);
  }

  /** How many rows are not judged any more. */
  get undecidedRows(): number {
    return this.undecided.size;
  }

  /** Which share of all row-steps so far has not been judged. */
  get unjudgedShare(): number {
    return 1 - this.judgedRowSteps / this.rowSteps;
  }
}
