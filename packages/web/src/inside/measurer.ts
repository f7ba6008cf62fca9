import { type Look, Measure, type StepState } from './measure.ts';

/** What the worker that measures holds: the states of the latest thought. */
export class Measurer {
  private measure: Measure | undefined;
  private thought = 0;

  /** @param thought its number: what is still told of an earlier one does not count */
  begin(thought: number, hiddenSize: number): void {
    this.thought = thought;
    this.measure = new Measure(hiddenSize);
  }

  add(thought: number, steps: StepState[]): void {
    if (thought === this.thought) this.measure?.add(steps);
  }

  look(thought: number): Look | undefined {
    return thought === this.thought ? this.measure?.look() : undefined;
  }
}
