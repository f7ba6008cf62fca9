/** The loop around a {@link Trainer}: progress, evaluation, checkpoints, Ctrl-C. */
import { join } from 'node:path';
import { RUN_FILES } from '../../../checkpoints/model-file.node.ts';
import type { Split } from '../../../data/dataset/dataset.ts';
import type { Answer } from '../../../evaluation/answers.ts';
import { type EvaluateOptions, type Evaluation, evaluate } from '../../../evaluation/evaluate.ts';
import { writeFileAtomic } from '../../../formats/files/atomic-write.node.ts';
import { stringifyYaml } from '../../../formats/yaml/yaml.ts';
import { NotFiniteError } from '../../../model/not-finite.ts';
import { formatAllConfig, LENGTH_KEY } from '../../../model/parse-config.ts';
import { isBetter } from '../../../runs/score.ts';
import { taskOf } from '../../../tasks/tasks.ts';
import { encodeModel } from '../../../training/checkpoint.ts';
import { evaluationRows } from '../../../training/memory.ts';
import type { StepReport } from '../../../training/steps.ts';
import type { Trainer } from '../../../training/trainer.ts';
import { Interrupt } from '../../interrupt.ts';
import { ProgressBar, percent, say } from '../../terminal.ts';
import { stopReason, withEvaluation, withSteps } from './early-stop.ts';
import { RunLog } from './logs/run-log.ts';
import { SampleLog } from './logs/sample-log.ts';
import { explained } from './not-finite.ts';
import { patiently } from './patience.ts';
import { RunningFigures } from './run-figures.ts';
import type { RunNotes } from './run-notes.ts';
import { Saver } from './saver.ts';
import { noteSession } from './session.ts';
import { writeSnapshot } from './snapshots.ts';

export interface RunOptions {
  trainer: Trainer;
  folder: string;
  notes: RunNotes;
  /** What is set otherwise than before, by published keys. */
  changes?: Readonly<Record<string, unknown>>;
  /** Evaluated every `notes.evalEvery` steps and at the end. */
  evalSplit?: Split;
}

export interface RunResult {
  /** The exit code for the signal that stopped the run, if one did. */
  interrupted?: number;
  /** Why the run ended before its schedule, if it did. */
  stopped?: string;
  /** Seconds spent in training steps and evaluations. */
  seconds: number;
}

/** Trains to the end of the schedule, until it may stop early, or until a signal; in any case the last step is saved. */
export async function runTraining(options: RunOptions): Promise<RunResult> {
  const { trainer, folder, notes } = options;
  noteSession(folder, trainer, options.changes ?? {}); // first: it tells that what is there is a run
  await writeConfig(folder, trainer);
  const since = { step: trainer.step, evaluatedStep: notes.evaluatedStep };
  const log = await RunLog.open(join(folder, RUN_FILES.log), since, notes.tensorboard);
  const saver = new Saver({ ...options, log });
  const { metadata } = (options.evalSplit ?? trainer.options.split) as Split;
  const samples = await SampleLog.open(
    join(folder, RUN_FILES.samples),
    metadata.task ?? taskOf(metadata),
    notes.evaluatedStep,
  );
  const interrupt = new Interrupt(() =>
    say('\nstopping after this step, then saving… (Ctrl-C again to stop without saving)'),
  );
  const { totalSteps, train } = trainer.options;
  const bar = new ProgressBar('train');
  const figures = new RunningFigures(trainer.step);
  const started = performance.now();
  const show = (reports: StepReport[]) => {
    if (reports.length === 0) return;
    for (const report of reports) figures.add(report);
    log.addSteps(reports, train.global_batch_size);
    notes.standing = withSteps(notes.standing, reports);
    bar.update(figures.step, totalSteps, figures.describe(totalSteps, train.global_batch_size));
  };
  // A run that was stopped during an evaluation makes up for it when it is resumed.
  const due = () =>
    trainer.step > notes.evaluatedStep && (trainer.step % notes.evalEvery === 0 || trainer.finished);
  try {
    while (!interrupt.signal.aborted) {
      if (due()) {
        show(await trainer.settle());
        bar.clear();
        const pause = performance.now();
        await saveAndEvaluate(options, { saver, log, samples }, interrupt.signal);
        figures.leaveOut((performance.now() - pause) / 1000);
      }
      if (trainer.finished || interrupt.signal.aborted || stopReason(notes.stop, notes.standing)) break;
      if (saver.mustWait) await saver.done();
      if (saver.isDue(notes)) {
        show(await trainer.settle()); // what a checkpoint holds has been logged
        await saver.save(notes);
      }
      show(await trainer.advance());
    }
    show(await trainer.settle());
    if (interrupt.signal.aborted) await saver.save(notes);
    await saver.done();
  } catch (error) {
    bar.clear();
    throw error instanceof NotFiniteError ? await explained(error, trainer, folder) : error;
  } finally {
    bar.clear();
    await saver.done().catch(() => {}); // what went wrong has been thrown
    log.close();
    interrupt.stop();
  }
  return {
    interrupted: interrupt.exitCode,
    stopped: trainer.finished ? undefined : stopReason(notes.stop, notes.standing),
    seconds: (performance.now() - started) / 1000,
  };
}

/** What a run leaves in its folder as it goes. */
interface Records {
  saver: Saver;
  log: RunLog;
  samples: SampleLog;
}

/** Saves first: an evaluation that fails, or is stopped, costs no step. */
async function saveAndEvaluate(
  options: RunOptions,
  { saver, log, samples }: Records,
  signal: AbortSignal,
): Promise<void> {
  const { trainer, folder, notes, evalSplit } = options;
  if (!evalSplit) {
    notes.evaluatedStep = trainer.step;
    notes.standing = withEvaluation(notes.standing, false);
  }
  await saver.save(notes);
  if (!evalSplit) return;
  let result: Evaluation;
  try {
    const sample = notes.evalSample
      ? { size: notes.evalSample, seed: trainer.options.train.seed }
      : undefined;
    const onAnswer = (answer: Answer) => samples.add(answer);
    result = await trainer.survive(() => {
      samples.begin();
      return evaluateWithBar(trainer.evaluated, evalSplit, 'evaluate', { signal, sample, onAnswer });
    });
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  }
  const { exact_accuracy: exact, accuracy, lm_loss } = result;
  const score = { exact, accuracy, loss: lm_loss };
  const better = isBetter(score, notes.best);
  say(
    `step ${trainer.step}: ${notes.evalSplit} exact ${percent(exact)}, cells ${percent(accuracy)}, ` +
      `loss ${lm_loss.toFixed(4)}${better ? ' — best so far' : ''}`,
  );
  log.addEvaluation(trainer.step, notes.evalSplit as string, result);
  await samples.end(trainer.step);
  notes.evaluatedStep = trainer.step;
  notes.standing = withEvaluation(notes.standing, better);
  if (better || notes.snapshots > 0) {
    const weights = await trainer.survive(() =>
      encodeModel(trainer.evaluated, trainer.options.split.metadata),
    );
    const best = join(folder, RUN_FILES.best);
    if (better) await patiently(folder, () => writeFileAtomic(best, weights));
    if (notes.snapshots > 0)
      await patiently(folder, () => writeSnapshot(folder, trainer.step, weights, notes.snapshots));
  }
  if (better) notes.best = score;
  await saver.save(notes);
}

/** Evaluates a split with a progress bar. */
export async function evaluateWithBar(
  model: Trainer['model'],
  split: Split,
  label: string,
  options: Partial<EvaluateOptions> = {},
): Promise<Evaluation> {
  const bar = new ProgressBar(label);
  try {
    return await evaluate(model, split, {
      ...options,
      batchSize: options.batchSize ?? evaluationRows(model.config, model.device.limits),
      onProgress: (done, total) => bar.update(done, total, ''),
    });
  } finally {
    bar.clear();
  }
}

async function writeConfig(folder: string, { options }: Trainer): Promise<void> {
  const { vocab_size: _v, seq_len: _s, num_puzzle_identifiers: _n, ...arch } = options.config;
  const config = formatAllConfig({ arch, train: options.train });
  const text = stringifyYaml({ ...config, [LENGTH_KEY]: options.totalSteps });
  await writeFileAtomic(join(folder, RUN_FILES.config), [new TextEncoder().encode(text)]);
}
