/** Training runs whose device is lost again and again, at random moments. */
import { type Device, openDevice, Philox } from '@hrm-webgpu/core';
import { sudokuShape } from '../../src/data/sudoku/sudoku.ts';
import { buildSudokuSplits } from '../../src/data/sudoku/sudoku-dataset.ts';
import { DEFAULT_ARCH, DEFAULT_TRAIN } from '../../src/model/config.ts';
import type { StepReport } from '../../src/training/steps.ts';
import { Survival } from '../../src/training/survival.ts';
import { Trainer, type TrainerOptions } from '../../src/training/trainer.ts';

const arch = {
  ...DEFAULT_ARCH,
  hidden_size: 32,
  num_heads: 2,
  H_layers: 1,
  L_layers: 1,
  puzzle_emb_ndim: 32,
};
const counts = { train: 64, validation: 1, test: 8 };
export const { train: trainSplit, test: testSplit } = buildSudokuSplits({
  shape: sudokuShape(4),
  minBlanks: 4,
  maxBlanks: 6,
  seed: 0,
  ...counts,
});

/** A small run: exploration, augmentation and every optimiser have a part in it. */
export function smallRun(totalSteps: number): TrainerOptions {
  return {
    config: { ...arch, halt_max_steps: 3, vocab_size: 6, seq_len: 16, num_puzzle_identifiers: 1 },
    train: { ...DEFAULT_TRAIN, lr: 3e-3, lr_warmup_steps: 5, global_batch_size: 8, eval_interval: 1 },
    split: trainSplit,
    totalSteps,
    augment: (batch, random) => {
      const blank = batch.inputs.indexOf(1);
      if (blank >= 0) batch.inputs[blank] = 1 + random.below(5);
    },
  };
}

/** What a run comes to. */
export interface Outcome {
  reports: StepReport[];
  /** Weights, moments and carries. */
  state: Map<string, number[]>;
}

async function stateOf({ model, optimizers, carries }: Trainer): Promise<Outcome['state']> {
  const state = new Map<string, number[]>();
  for (const [name, tensor] of model.weights) state.set(name, [...(await tensor.read())]);
  for (const [name, { m, v }] of optimizers.moments)
    state.set(`moments of ${name}`, [...(await m.read()), ...(await v.read())]);
  for (const [i, { current }] of carries.entries())
    for (const [name, tensor] of Object.entries(current))
      state.set(`${name} ${i}`, [...(await tensor.read())]);
  return state;
}

/** Trains to the end without a loss. */
export async function trainUndisturbed(options: TrainerOptions): Promise<Outcome> {
  using device = await openDevice();
  using trainer = await Trainer.start(device, options);
  const reports: StepReport[] = [];
  while (!trainer.finished) reports.push(...(await trainer.advance()));
  reports.push(...(await trainer.settle()));
  return { reports, state: await stateOf(trainer) };
}

/** Destroys devices at random moments, each loss after the one before was noticed. */
class Losses {
  /** Losses that were noticed. */
  noticed = 0;
  /** The most attempts in a row to open a device again. */
  attempts = 0;
  private caused = 0;
  /** Since a step was known to be done. */
  private inARow = 0;
  private device: Device | undefined;
  private pending: Promise<void> = Promise.resolve();

  constructor(
    private readonly wanted: number,
    private readonly random: Philox,
  ) {}

  /** Opens a device; one in four is lost while the run is put on it, but never the third in a row. */
  readonly open = async (): Promise<Device> => {
    this.device = await openDevice();
    if (this.caused > 0 && this.inARow < 2 && this.random.uniform() < 0.25) this.causeSoon(100);
    return this.device;
  };
  readonly onDeviceLost = (_: unknown, attempt: number) => {
    this.noticed += 1;
    this.inARow = attempt;
    this.attempts = Math.max(this.attempts, attempt);
  };

  progress(): void {
    this.inARow = 0;
  }

  /** Before a step: as likely as it takes to have caused all in the steps that are left. */
  beforeStep(stepsLeft: number): void {
    if (this.inARow >= 2) return; // a third without a step that is known to be done would be the last
    if (this.random.uniform() < (2 * (this.wanted - this.caused)) / stepsLeft) this.causeSoon(60);
  }

  /** Causes what is still to come while `body` runs. */
  async rest(body: () => Promise<unknown>): Promise<void> {
    do {
      this.causeSoon(20);
      await Promise.all([body(), this.pending]);
      await body();
    } while (this.noticed < this.wanted);
  }

  /** Half of the time at once, else within some milliseconds. */
  private causeSoon(ms: number): void {
    if (this.caused > this.noticed || this.caused === this.wanted) return;
    this.caused += 1;
    const { device, random } = this;
    if (random.uniform() < 0.5) device?.gpu.destroy();
    else {
      this.pending = new Promise((resolve) => {
        setTimeout(() => {
          device?.gpu.destroy();
          resolve();
        }, ms * random.uniform());
      });
    }
  }
}

/**
 * Trains with so many losses: between steps, while steps are under way, a copy is made, a device is set up, lost steps
 * are made again or the result is read.
 */
export async function trainWithLosses(options: TrainerOptions, count: number, seed: number) {
  const losses = new Losses(count, new Philox(seed, 0));
  using device = await losses.open();
  const { open: reopen, onDeviceLost } = losses;
  using trainer = await Trainer.start(device, { ...options, survival: new Survival(reopen, onDeviceLost) });
  const reports = await trainer.advance(); // makes the first copy
  while (!trainer.finished) {
    losses.beforeStep(options.totalSteps - trainer.step);
    const news = await trainer.advance();
    if (news.length > 0) losses.progress();
    reports.push(...news);
  }
  await losses.rest(() => trainer.survive(() => stateOf(trainer)));
  reports.push(...(await trainer.settle()));
  const outcome: Outcome = { reports, state: await trainer.survive(() => stateOf(trainer)) };
  return { outcome, losses: losses.noticed, attempts: losses.attempts };
}
