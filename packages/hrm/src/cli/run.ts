/** The loop around a {@link Trainer}: progress, evaluation, checkpoints, Ctrl-C. */
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { UserError } from '@hrm-webgpu/core';
import { encodeModel, encodeTraining } from '../checkpoint.ts';
import { formatAllConfig, swigluWidth } from '../config.ts';
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
  /** Absolute path of the dataset. */
  data: string;
  /** Tells the training split from another under the same path. */
  dataset: string;
  evalSplit: string | null;
  evalEvery: number;
  augment: string | null;
  bestExact: number;
  /** The step of the last evaluation. */
  evaluatedStep: number;
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
  await writeConfig(folder, trainer);
  const interrupt = onInterrupt();
  const { totalSteps, train } = trainer.options;
  const bar = new ProgressBar('train');
  const figures = new RunningFigures(trainer.step);
  const started = performance.now();
  const waiting: Promise<StepReport>[] = [];
  const settle = async (keep: number) => {
    while (waiting.length > keep) {
      figures.add(await (waiting.shift() as Promise<StepReport>));
      bar.update(figures.step, totalSteps, figures.describe(totalSteps, train.global_batch_size));
    }
  };
  // A run that was stopped during an evaluation makes up for it when it is resumed.
  const due = () =>
    trainer.step > notes.evaluatedStep && (trainer.step % notes.evalEvery === 0 || trainer.finished);
  try {
    while (!interrupt.signal.aborted) {
      if (due()) {
        await settle(0);
        bar.clear();
        const pause = performance.now();
        await saveAndEvaluate({ trainer, folder, notes, evalSplit }, interrupt.signal);
        figures.leaveOut((performance.now() - pause) / 1000);
      }
      if (trainer.finished || interrupt.signal.aborted) break;
      waiting.push(trainer.next());
      await settle(IN_FLIGHT);
    }
    await settle(0);
    if (interrupt.signal.aborted) await save(trainer, folder, notes);
  } finally {
    bar.clear();
    interrupt.stop();
    await Promise.allSettled(waiting);
  }
  return { interrupted: interrupt.signal.aborted, seconds: (performance.now() - started) / 1000 };
}

/** Saves first: an evaluation that fails, or is stopped, costs no step. */
async function saveAndEvaluate(options: RunOptions, signal: AbortSignal): Promise<void> {
  const { trainer, folder, notes, evalSplit } = options;
  if (!evalSplit) notes.evaluatedStep = trainer.step;
  await save(trainer, folder, notes);
  if (!evalSplit) return;
  let result: Evaluation;
  try {
    result = await evaluateWithBar(trainer.model, evalSplit, 'evaluate', { signal });
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  }
  const { exact_accuracy: exact, accuracy, lm_loss } = result;
  const better = exact > notes.bestExact;
  say(
    `step ${trainer.step}: ${notes.evalSplit} exact ${percent(exact)}, cells ${percent(accuracy)}, ` +
      `loss ${lm_loss.toFixed(4)}${better ? ' — best so far' : ''}`,
  );
  notes.evaluatedStep = trainer.step;
  if (better) {
    notes.bestExact = exact;
    await writeFileAtomic(join(folder, RUN_FILES.best), await encodeModel(trainer.model));
  }
  await save(trainer, folder, notes);
}

/** Evaluates a split with a progress bar. */
export async function evaluateWithBar(
  model: Trainer['model'],
  split: Split,
  label: string,
  { batchSize, signal }: { batchSize?: number; signal?: AbortSignal } = {},
): Promise<Evaluation> {
  const bar = new ProgressBar(label);
  try {
    return await evaluate(model, split, {
      batchSize: batchSize ?? largestBatch(model),
      signal,
      onProgress: (done, total) => bar.update(done, total, ''),
    });
  } finally {
    bar.clear();
  }
}

/** Rows whose largest activation (the SwiGLU's gate and up) fits one binding of the adapter; 128 are enough. */
function largestBatch({ config, device, positions }: Trainer['model']): number {
  const rowBytes =
    4 * positions * Math.max(2 * swigluWidth(config), 3 * config.hidden_size, config.vocab_size);
  return Math.max(1, Math.min(128, Math.floor(device.limits.maxStorageBufferBindingSize / rowBytes)));
}

async function save(trainer: Trainer, folder: string, notes: RunNotes): Promise<void> {
  await writeFileAtomic(join(folder, RUN_FILES.latest), await encodeTraining(trainer, { ...notes }));
}

async function writeConfig(folder: string, { options }: Trainer): Promise<void> {
  const { vocab_size: _v, seq_len: _s, num_puzzle_identifiers: _n, ...arch } = options.config;
  const text = stringifyYaml(formatAllConfig({ arch, train: options.train }));
  await writeFileAtomic(join(folder, RUN_FILES.config), [new TextEncoder().encode(text)]);
}

/**
 * Makes the folder of a new run.
 *
 * @throws UserError when it cannot be made, or holds a run already
 */
export function newRunFolder(folder: string): void {
  const taken = [RUN_FILES.latest, RUN_FILES.best].find((name) => existsSync(join(folder, name)));
  if (taken) {
    throw new UserError(
      `${folder} holds a run already (${taken}); go on with --resume, or give another folder with --out`,
    );
  }
  makeFolder(resolve(folder));
}

/** As mkdir -p. (Node's own recursive mkdir never returns for paths under /proc.) */
function makeFolder(folder: string): void {
  try {
    if (existsSync(folder)) readdirSync(folder);
    else {
      makeFolder(dirname(folder));
      mkdirSync(folder);
    }
  } catch (cause) {
    throw fileError('cannot make the folder', folder, cause);
  }
}

/** Listens for Ctrl-C: once asks the loop to stop, twice ends the process. */
function onInterrupt() {
  const controller = new AbortController();
  const listener = () => {
    if (controller.signal.aborted) process.exit(130);
    say('\nstopping after this step, then saving… (Ctrl-C again to stop without saving)');
    controller.abort();
  };
  process.on('SIGINT', listener);
  return { signal: controller.signal, stop: () => process.off('SIGINT', listener) };
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
export function latestCheckpoint(folder: string): string {
  const path = join(folder, RUN_FILES.latest);
  if (existsSync(path)) return path;
  throw new UserError(`${folder} has no ${RUN_FILES.latest} to resume from; start the run without --resume`);
}
