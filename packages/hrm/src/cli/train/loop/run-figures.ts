import type { StepReport } from '../../../training/steps.ts';
import { Sparkline } from '../../sparkline.ts';
import { duration, percent } from '../../terminal.ts';

/** Steps over which the figures of the progress bar are averaged. */
const WINDOW = 50;

/** Averages for the progress bar. */
export class RunningFigures {
  step: number;
  private readonly recent: StepReport[] = [];
  private readonly firstStep: number;
  private readonly losses = new Sparkline();
  private readonly shares = new Sparkline();
  private startedAt = performance.now();

  constructor(step: number) {
    this.step = step;
    this.firstStep = step;
  }

  add(report: StepReport): void {
    this.step = report.step;
    this.recent.push(report);
    const { count, exact_accuracy, lm_loss } = report.sums;
    this.losses.add(lm_loss);
    if (count > 0) this.shares.add(exact_accuracy / count);
    if (this.recent.length > WINDOW) this.recent.shift();
  }

  /** Does not count seconds that were spent on something else. */
  leaveOut(seconds: number): void {
    this.startedAt += 1000 * seconds;
  }

  /** For {@link ProgressBar.update}. */
  describe(totalSteps: number, batch: number): string[] {
    const sum = (pick: (report: StepReport) => number) =>
      this.recent.reduce((total, report) => total + pick(report), 0);
    const count = sum(({ sums }) => sums.count);
    const exact = count > 0 ? percent(sum(({ sums }) => sums.exact_accuracy) / count) : '–';
    const loss = sum(({ sums }) => sums.lm_loss) / (batch * this.recent.length);
    const rate = (this.step - this.firstStep) / ((performance.now() - this.startedAt) / 1000);
    const left = duration((totalSteps - this.step) / rate);
    return [
      `loss ${loss.toFixed(3)} ${this.losses.text()}`,
      `exact ${exact} ${this.shares.text([0, 1])}`,
      `${rate.toFixed(1)} steps/s`,
      `${left} left`,
    ];
  }
}
