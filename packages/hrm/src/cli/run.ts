/** The loop around a {@link Trainer}: progress, evaluation, checkpoints, Ctrl-C. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@hrm-webgpu/core';
import { encodeModel, encodeTraining } from '../checkpoint.ts';
import { formatAllConfig } from '../config.ts';
import type { Split } from '../data/dataset.ts';
import { type Evaluation, evaluate } from '../evaluate.ts';
import { writeFileAtomic } from '../formats/atomic-write.node.ts';
import { fileError } from '../formats/file-error.node.ts';
import { stringifyYaml } from '../formats/yaml.ts';
import { RUN_FILES } from '../model-file.node.ts';
import type { StepReport, Trainer } from '../trainer.ts';
import { duration, ProgressBar, percent, say } from './terminal.ts';

/** What a checkpoint keeps of the command line, so that `--resume` needs no other option. */
export interface RunNotes {
  data: string;
  evalSplit: string | null;
  evalEvery: number;
  augment: string | null;
  bestExact: number;
}

export interface RunOptions {
  trainer: Trainer;
  folder: string;
  notes: RunNotes;
  /** Evaluated every `notes.evalEvery` steps and at the end. */
  evalSplit?: Split;
}

export interface RunResult {
  interrupted: boolean;
  /** Seconds spent in training steps and evaluations. */
  seconds: number;
}

/** Steps submitted before the oldest is waited for: the GPU need not wait for the host. */
const IN_FLIGHT = 2;
/** Steps over which the figures of the progress bar are averaged. */
const WINDOW = 50;

/** Trains to the end of the schedule, or until Ctrl-C; either way the last step is saved. */
export async function runTraining({ trainer, folder, notes, evalSplit }: RunOptions): Promise<RunResult> {
  await prepareFolder(folder, trainer);
  const interrupt = onInterrupt();
  const { totalSteps } = trainer.options;
  const bar = new ProgressBar('train');
  const figures = new RunningFigures(trainer.step);
  const started = performance.now();
  const waiting: Promise<StepReport>[] = [];
  const settle = async (keep: number) => {
    while (waiting.length > keep) {
      figures.add(await (waiting.shift() as Promise<StepReport>));
      bar.update(
        figures.step,
        totalSteps,
        figures.describe(totalSteps, trainer.options.train.global_batch_size),
      );
    }
  };
  try {
    while (!trainer.finished && !interrupt.requested) {
      waiting.push(trainer.next());
      await settle(IN_FLIGHT);
      if (trainer.step % notes.evalEvery === 0 || trainer.finished) {
        await settle(0);
        bar.clear();
        const pause = performance.now();
        await evaluateAndSave({ trainer, folder, notes, evalSplit });
        figures.leaveOut((performance.now() - pause) / 1000);
      }
    }
    await settle(0);
  } finally {
    bar.clear();
    interrupt.stop();
    await Promise.allSettled(waiting);
  }
  if (interrupt.requested && !trainer.finished) await save(trainer, folder, notes);
  return {
    interrupted: interrupt.requested && !trainer.finished,
    seconds: (performance.now() - started) / 1000,
  };
}

async function evaluateAndSave({ trainer, folder, notes, evalSplit }: RunOptions): Promise<void> {
  if (evalSplit) {
    const result = await evaluateWithBar(trainer.model, evalSplit, 'evaluate');
    const exact = result.exact_accuracy;
    const better = exact > notes.bestExact;
    say(
      `step ${trainer.step}: ${notes.evalSplit} exact ${percent(exact)}, cells ${percent(result.accuracy)}, ` +
        `loss ${result.lm_loss.toFixed(4)}${better ? ' — best so far' : ''}`,
    );
    if (better) {
      notes.bestExact = exact;
      await writeFileAtomic(join(folder, RUN_FILES.best), await encodeModel(trainer.model));
    }
  }
  await save(trainer, folder, notes);
}

/** Evaluates a split with a progress bar. */
export async function evaluateWithBar(
  model: Trainer['model'],
  split: Split,
  label: string,
  batchSize = 128,
): Promise<Evaluation> {
  const bar = new ProgressBar(label);
  try {
    return await evaluate(model, split, {
      batchSize,
      onProgress: (done, total) => bar.update(done, total, ''),
    });
  } finally {
    bar.clear();
  }
}

async function save(trainer: Trainer, folder: string, notes: RunNotes): Promise<void> {
  await writeFileAtomic(join(folder, RUN_FILES.latest), await encodeTraining(trainer, { ...notes }));
}

async function prepareFolder(folder: string, { options }: Trainer): Promise<void> {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    throw fileError('make the folder', folder, cause);
  }
  const { vocab_size: _v, seq_len: _s, num_puzzle_identifiers: _n, ...arch } = options.config;
  const text = stringifyYaml(formatAllConfig({ arch, train: options.train }));
  await writeFileAtomic(join(folder, RUN_FILES.config), [new TextEncoder().encode(text)]);
}

/** Listens for Ctrl-C: once asks the loop to stop, twice ends the process. */
function onInterrupt() {
  const state = { requested: false, stop: () => process.off('SIGINT', listener) };
  const listener = () => {
    if (state.requested) process.exit(130);
    state.requested = true;
    say('\nstopping after this step, then saving… (Ctrl-C again to stop without saving)');
  };
  process.on('SIGINT', listener);
  return state;
}

/** Averages for the progress bar. */
class RunningFigures {
  step: number;
  private readonly recent: StepReport[] = [];
  private readonly firstStep: number;
  private startedAt = performance.now();

  constructor(step: number) {
    this.step = step;
    this.firstStep = step;
  }

  add(report: StepReport): void {
    this.step = report.step;
    this.recent.push(report);
    if (this.recent.length > WINDOW) this.recent.shift();
  }

  /** Does not count seconds that were spent on something else. */
  leaveOut(seconds: number): void {
    this.startedAt += 1000 * seconds;
  }

  describe(totalSteps: number, batch: number): string {
    const sum = (pick: (report: StepReport) => number) =>
      this.recent.reduce((total, report) => total + pick(report), 0);
    const count = sum(({ sums }) => sums.count);
    const exact = count > 0 ? percent(sum(({ sums }) => sums.exact_accuracy) / count) : '–';
    const loss = sum(({ sums }) => sums.lm_loss) / (batch * this.recent.length);
    const rate = (this.step - this.firstStep) / ((performance.now() - this.startedAt) / 1000);
    const left = duration((totalSteps - this.step) / rate);
    return `loss ${loss.toFixed(3)}  exact ${exact}  ${rate.toFixed(1)} steps/s  ${left} left`;
  }
}

/** @throws UserError when a run folder has nothing to resume */
export function latestCheckpoint(folder: string, exists: (path: string) => boolean): string {
  const path = join(folder, RUN_FILES.latest);
  if (exists(path)) return path;
  throw new UserError(`${folder} has no ${RUN_FILES.latest} to resume from; start the run without --resume`);
}
