import { type Device, type OnDeviceLost, openDevice, Recovery, UserError } from '@hrm-webgpu/core';
import { CHECK_FIRST } from '#tuning-store';
import type { OnProgress } from '../checkpoints/open-url.ts';
import type { DeclaredSymmetry } from '../data/dataset/declared-symmetries.ts';
import type { Guessing } from '../guesses/think.ts';
import type { ModelConfig } from '../model/config.ts';
import type { LoadOptions } from '../model/load.ts';
import type { HrmModel } from '../model/model.ts';
import { checkTask, encodeGrid, type Grid, type Task, taskOf } from '../tasks/tasks.ts';
import { recordInference } from '../tuning/tuning-uses.ts';
import { verifyKernels } from '../tuning/verify.ts';
import {
  type CheckpointSource,
  type ConfigOptions,
  closeSources,
  commonConfig,
  leaseDevice,
  loadWeights,
  openSources,
  reloadModels,
} from './hrm-source.ts';
import { checkedSettings, type Settings, type Solution, type SolveOptions } from './solve-options.ts';
import { type Puzzle, Solver, type Told } from './solver.ts';

export interface HrmOptions extends ConfigOptions, LoadOptions {
  /** What to compute on; stays the caller's. Default: this machine's GPU, opened for this model alone. */
  device?: GPUDevice | Device;
  /**
   * Told when the GPU device was lost and is opened again. A model that opened its device itself goes on by itself, with the
   * weights from `source`; with a `device`, or weights from an open file, what is asked for rejects with DeviceLostError.
   */
  onDeviceLost?: OnDeviceLost;
  /** Called as a URL is downloaded, or as the weights of any other source are read. */
  onProgress?: OnProgress;
}

/** One model that solves puzzles, or several checkpoints of one architecture that guess together. */
export class HRM {
  private solver: Solver;
  /** Resolved when the work that has been asked for is done. */
  private turn: Promise<void> = Promise.resolve();
  private disposed = false;
  /** Of the kernels, by how segments are done, once they have begun; see {@link verifyKernels}. */
  private readonly verifications = new Map<string, Promise<void>>();
  private verified = false;

  private constructor(
    private models: readonly HrmModel[],
    /** What grids mean. */
    readonly task: Task,
    /** Frees what {@link load} made. */
    private release: () => void,
    private readonly recovery: Recovery,
    /** Reads the weights again, onto another device. */
    private readonly reload?: (device: Device) => Promise<HrmModel[]>,
    /** That the data of the first checkpoint declared. */
    private readonly declared?: readonly DeclaredSymmetry[],
  ) {
    checkTask(task, models[0].config);
    this.solver = new Solver(models, task, declared);
  }

  /** The weights (of the first checkpoint), for those who want more than answers; another object on another device after a loss. */
  get model(): HrmModel {
    return this.models[0];
  }

  /**
   * Loads a checkpoint: one of this project's, or a published one with its all_config.yaml beside it (or as
   * `config`). The task is what the checkpoint says, or follows from vocabulary and sequence length, unless it is given. Of several checkpoints, which take turns as
   * guesses are made, all have one architecture, and the options are those of each.
   *
   * @throws UserError when there is no checkpoint or GPU, or something does not fit; the signal's reason when aborted
   */
  static async load(
    source: CheckpointSource | readonly CheckpointSource[],
    options: HrmOptions = {},
  ): Promise<HRM> {
    const sources: readonly CheckpointSource[] = Array.isArray(source) ? source : [source];
    const { signal, trunkOnly } = options;
    signal?.throwIfAborted();
    if (sources.length === 0) throw new UserError('HRM.load: expected one checkpoint at least');
    const opened = await openSources(sources, options);
    try {
      const config = await commonConfig(opened, options);
      const { task: known, symmetries } = opened[0].context.meaning ?? {};
      const task = options.task ?? known ?? taskOf(config);
      checkTask(task, config);
      const { device, release } = await leaseDevice(options.device);
      try {
        const { models, marks } = await loadWeights(device, opened, config, options);
        const survives = !options.device && opened.every(({ file }, i) => file !== sources[i]);
        return new HRM(
          models,
          task,
          () => {
            for (const model of models) model.dispose();
            release();
          },
          new Recovery(survives ? openDevice : undefined, options.onDeviceLost),
          (device) => reloadModels(device, sources, trunkOnly, { config, marks }),
          symmetries,
        );
      } catch (error) {
        release();
        throw error;
      }
    } finally {
      await closeSources(opened, sources);
    }
  }

  /** Puts a model that is there already to solving; it stays the caller's. */
  static of(model: HrmModel, task = taskOf(model.config)): HRM {
    return new HRM([model], task, () => {}, new Recovery(undefined, undefined));
  }

  get config(): ModelConfig {
    return this.model.config;
  }

  /**
   * Thinks about a grid, or about several at once. A guess is done as soon as the model would halt (q_halt exceeds
   * q_continue), at the latest after `maxSteps` segments; see {@link SolveOptions.halt}. Calls take their turns.
   *
   * @throws UserError naming the cell or size that is wrong; the signal's reason when aborted
   */
  async solve(grid: Grid, options?: SolveOptions): Promise<Solution>;
  async solve(grids: readonly Grid[], options?: SolveOptions): Promise<Solution[]>;
  async solve(given: Grid | readonly Grid[], options: SolveOptions = {}): Promise<Solution | Solution[]> {
    this.checkAlive();
    if (!Array.isArray(given) && !(given instanceof Int32Array))
      throw new UserError('solve: expected rows of numbers, an Int32Array of tokens, or a list of these');
    const grids = isGrid(given) ? [given] : given;
    const settings = checkedSettings(options, this.config);
    const puzzles = grids.map((grid, index) => {
      const place = isGrid(given) ? 'the grid' : `grid ${index}`;
      const inputs = encodeGrid(this.task, this.config, grid, place);
      return { index, grid, inputs, puzzleIdentifier: settings.puzzleIdentifier };
    });
    const before = this.turn;
    let done = () => {};
    this.turn = new Promise((resolve) => {
      done = resolve;
    });
    try {
      await before;
      const solutions = await this.solveAll(puzzles, settings);
      return isGrid(given) ? solutions[0] : solutions;
    } finally {
      done();
    }
  }

  /** Frees everything that {@link load} made. Calling it again does nothing. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.solver.dispose();
    this.release();
  }

  /** For `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  private async solveAll(puzzles: readonly Puzzle[], settings: Settings): Promise<Solution[]> {
    const rows = Math.max(1, Math.min(puzzles.length, settings.batchSize));
    const guessing = await this.solver.guessingOf(settings);
    if (CHECK_FIRST || this.verifications.has(guessing.companionKey))
      await this.survive(() => this.verify(rows, guessing), settings);
    const solutions: (Solution | undefined)[] = puzzles.map(() => undefined);
    const told: Told = { segments: new Map(), ended: new Set() };
    const listener = {
      check: () => {
        this.checkAlive();
        settings.signal?.throwIfAborted();
      },
      progress: () => this.recovery.progress(),
      verified: () => this.verified,
    };
    await this.survive(async () => {
      const left = puzzles.filter(({ index }) => !solutions[index]);
      for await (const [index, solution] of this.solver.solve(left, settings, guessing, told, listener))
        solutions[index] = solution;
    }, settings);
    this.verify(rows, guessing).catch(() => {}); // the next call tells what is wrong
    return solutions as Solution[];
  }

  /** Checks the kernels, once; what was recorded with one that turned out wrong is dropped. */
  private verify(rows: number, { makeCompanion, companionKey: key }: Guessing): Promise<void> {
    const { device } = this.model;
    const known = device.unfit.size;
    const check = async () => {
      try {
        await verifyKernels(this.model, (model) => recordInference(model, rows, makeCompanion));
      } catch (error) {
        if (await device.lossBehind(error)) this.verifications.delete(key); // on another device it is done again
        throw error;
      }
      this.verified = true;
      if (device.unfit.size > known) this.solver.dispose();
    };
    const verification = this.verifications.get(key) ?? check();
    this.verifications.set(key, verification);
    return verification;
  }

  /** Does `body` again from its beginning when the device was lost meanwhile, with the weights on another. */
  private async survive<T>(body: () => Promise<T>, { signal }: Settings): Promise<T> {
    while (true) {
      try {
        return await body();
      } catch (error) {
        this.checkAlive();
        if (signal?.aborted) throw error;
        await this.recovery.recover(error, this.model.device, (device) => this.moveTo(device));
      }
    }
  }

  private async moveTo(device: Device): Promise<void> {
    const models = await (this.reload as NonNullable<typeof this.reload>)(device);
    this.checkAlive();
    this.solver.dispose();
    this.release();
    this.models = models;
    this.solver = new Solver(models, this.task, this.declared);
    this.release = () => device.close();
  }

  private checkAlive(): void {
    if (this.disposed) throw new UserError('this model has been disposed of: load it again');
  }
}

/** A grid, as opposed to a list of grids. */
function isGrid(value: Grid | readonly Grid[]): value is Grid {
  if (value instanceof Int32Array) return true;
  const [first] = value;
  return !(first instanceof Int32Array) && Array.isArray(first) && !Array.isArray(first[0]);
}
