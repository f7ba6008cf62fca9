/** A training run and what is known of it. Its methods must not run at the same time. */
import { adapterName } from '@hrm-webgpu/core';
import {
  type Answer,
  type Device,
  encodeTraining,
  evaluate,
  fingerprint,
  loadTraining,
  openDevice,
  type StepReport,
  Survival,
  Trainer,
  UserError,
} from 'hrm-webgpu';
import type { RunShown } from './api.ts';
import { addPoint, addReport, emptyHistory, type History, type Sample } from './history.ts';
import { notesOf, OTHER_VERSION, openRunFile } from './run-file.ts';
import type { Settings } from './settings.ts';
import { gridOf, makeTask, sampleRows, type TrainingTask } from './task.ts';
import { aheadOf, Pace } from './time-left.ts';

/** What a run is made with. */
export interface RunOptions {
  submitMs: () => number;
  onDeviceLost: () => void;
}

export class Run {
  private readonly pace = new Pace();
  /** When the time of the steps under way began. */
  private since = performance.now();

  private constructor(
    readonly settings: Settings,
    private readonly task: TrainingTask,
    private readonly device: Device,
    private readonly trainer: Trainer,
    private readonly history: History,
    private readonly data: string,
    private readonly options: RunOptions,
  ) {}

  /** @throws UserError when there are no such puzzles, or no GPU */
  static async start(settings: Settings, options: RunOptions): Promise<Run> {
    const task = makeTask(settings);
    const device = await openDevice({ submitMs: options.submitMs() });
    try {
      const trainer = await Trainer.start(device, trainerOptions(settings, task, options));
      const history = emptyHistory(settings.steps);
      return new Run(settings, task, device, trainer, history, await dataOf(task), options);
    } catch (error) {
      device.close();
      throw error;
    }
  }

  /**
   * Goes on with a saved run, to the bits that it would have had.
   *
   * @returns the run, and what should be said of it
   */
  static async resume(blob: Blob, options: RunOptions): Promise<{ run: Run; note?: string }> {
    const { file, metadata, training, shown, data } = await openRunFile(blob);
    const { settings, history } = shown;
    const task = makeTask(settings);
    if ((await dataOf(task)) !== data) throw new UserError(OTHER_VERSION);
    const device = await openDevice({ submitMs: options.submitMs() });
    try {
      const { training: _, ...state } = await loadTraining(device, file, metadata);
      const trainer = Trainer.resume(trainerOptions(settings, task, options), state, training.progress);
      const run = new Run(settings, task, device, trainer, history, data, options);
      const [before, now] = [training.tuning.adapter, adapterName(device)];
      if (before === now) return { run };
      return {
        run,
        note: `This run was on ${before}, and goes on on ${now}: its numbers differ a little from here on.`,
      };
    } catch (error) {
      device.close();
      throw error;
    }
  }

  get shown(): RunShown {
    const { settings, history, trainer } = this;
    return { settings, history, step: trainer.step };
  }

  get step(): number {
    return this.trainer.step;
  }

  /** Whether every step and every evaluation has been made. */
  get finished(): boolean {
    return this.trainer.finished && !this.evaluationDue;
  }

  /** Before the first step, now and then, and after the last. */
  get evaluationDue(): boolean {
    const { step, finished } = this.trainer;
    const last = this.history.points.at(-1)?.step ?? -1;
    return step > last && (step % this.settings.evalEvery === 0 || finished);
  }

  get stepsPerSecond(): number | undefined {
    return this.pace.stepsPerSecond;
  }

  get secondsLeft(): number | undefined {
    const { steps, evalEvery } = this.settings;
    return this.pace.secondsLeft(aheadOf(this.step, steps, evalEvery));
  }

  /** Time counts from now on: to be called after a pause. */
  begin(): void {
    this.since = performance.now();
  }

  async advance(): Promise<void> {
    this.trainer.model.device.submitMs = this.options.submitMs();
    this.take(await this.trainer.advance());
  }

  /** Waits for all steps, and takes their reports. */
  async settle(): Promise<void> {
    this.take(await this.trainer.settle());
  }

  /** Answers the held-out puzzles with the present weights; must follow {@link settle}. */
  async evaluate(signal: AbortSignal): Promise<void> {
    const start = performance.now();
    const { trainer, task, settings } = this;
    const rows = sampleRows(settings);
    let samples: Sample[] = [];
    let row = 0;
    const onAnswer = (answer: Answer) => {
      if (rows.includes(row++)) samples.push(sampleOf(answer));
    };
    const batchSize = Math.min(settings.heldOut, 64);
    const { exact_accuracy, accuracy, count } = await trainer.survive(() => {
      samples = [];
      row = 0;
      return evaluate(trainer.evaluated, task.heldOut, { batchSize, onAnswer, signal });
    });
    addPoint(this.history, { step: this.step, exact: exact_accuracy, count, cells: accuracy }, samples);
    this.pace.evaluation(performance.now() - start);
    this.begin();
  }

  /** The checkpoint as it stands; must follow {@link settle}. */
  async encode(): Promise<Uint8Array[]> {
    const notes = notesOf({ ...this.shown, data: this.data });
    const chunks = await this.trainer.survive(() => encodeTraining(this.trainer, notes));
    this.begin();
    return chunks;
  }

  dispose(): void {
    this.trainer.dispose();
    this.device.close();
  }

  private take(reports: readonly StepReport[]): void {
    if (reports.length === 0) return;
    for (const { step, loss, sums } of reports)
      addReport(this.history, { step, loss, exact: sums.exact_accuracy, count: sums.count });
    const now = performance.now();
    this.pace.steps(reports.length, now - this.since);
    this.since = now;
  }
}

const dataOf = ({ split, heldOut }: TrainingTask) => fingerprint([split, heldOut]);

function trainerOptions(
  { steps }: Settings,
  { config, train, split, augment }: TrainingTask,
  { submitMs, onDeviceLost }: RunOptions,
) {
  const survival = new Survival(() => openDevice({ submitMs: submitMs() }), onDeviceLost);
  return { config, train, split, augment, totalSteps: steps, survival };
}

const sampleOf = ({ input, label, prediction }: Answer): Sample => ({
  puzzle: gridOf(input),
  answer: gridOf(prediction),
  solution: gridOf(label),
});
