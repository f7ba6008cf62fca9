import { type Device, type OnDeviceLost, openDevice, Recovery, UserError } from '@hrm-webgpu/core';
import { CHECK_FIRST } from '#tuning-store';
import type { OnProgress } from '../checkpoints/open-url.ts';
import { IGNORED_LABEL } from '../data/dataset/dataset.ts';
import type { ModelConfig } from '../model/config.ts';
import { Inference } from '../model/inference.ts';
import { type LoadOptions, loadModel } from '../model/load.ts';
import type { HrmModel } from '../model/model.ts';
import { recordInference } from '../tuning/tuning-uses.ts';
import { verifyKernels } from '../tuning/verify.ts';
import {
  type CheckpointSource,
  type ConfigOptions,
  configOfSource,
  leaseDevice,
  openSource,
  reloadModel,
  watched,
} from './hrm-source.ts';
import {
  checkedSettings,
  type GridAnswer,
  type Settings,
  type Solution,
  type SolveOptions,
  TOO_MANY_STEPS,
} from './solve-options.ts';
import { checkTask, decodeGrid, encodeGrid, type Grid, type Task, taskOf } from './tasks.ts';

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

/** Rows never halt on the device: it is decided here, and another start restarts them. */
const NEVER = TOO_MANY_STEPS;

/** A model that solves puzzles. */
export class HRM {
  /** Kept from one call to the next: recording a segment takes as long as many replays. */
  private inference: { of: Inference; batch: number } | undefined;
  /** Resolved when the work that has been asked for is done. */
  private turn: Promise<void> = Promise.resolve();
  private disposed = false;
  /** Of the kernels, once it has begun; see {@link verifyKernels}. */
  private verification: Promise<void> | undefined;
  private verified = false;

  private constructor(
    private current: HrmModel,
    /** What grids mean. */
    readonly task: Task,
    /** Frees what {@link load} made. */
    private release: () => void,
    private readonly recovery: Recovery,
    /** Reads the weights again, onto another device. */
    private readonly reload?: (device: Device) => Promise<HrmModel>,
  ) {
    checkTask(task, current.config);
  }

  /** The weights, for those who want more than answers; another object on another device after a loss. */
  get model(): HrmModel {
    return this.current;
  }

  /**
   * Loads a checkpoint: one of this project's, or a published one with its all_config.yaml beside it (or as
   * `config`). The task follows from vocabulary and sequence length unless it is given.
   *
   * @throws UserError when there is no checkpoint or GPU, or something does not fit; the signal's reason when aborted
   */
  static async load(source: CheckpointSource, options: HrmOptions = {}): Promise<HRM> {
    const { signal, onProgress, trunkOnly } = options;
    signal?.throwIfAborted();
    const opened = await openSource(source, options);
    const { file, downloaded } = opened;
    try {
      const config = configOfSource(opened, options);
      const task = options.task ?? taskOf(config);
      checkTask(task, config);
      const { device, release } = await leaseDevice(options.device);
      try {
        const weights = watched(file, config, {
          trunkOnly,
          onProgress: downloaded ? undefined : onProgress,
        });
        const model = await loadModel(device, config, weights.file, { trunkOnly, signal });
        const survives = file !== source && !options.device;
        const mark = weights.mark();
        return new HRM(
          model,
          task,
          () => {
            model.dispose();
            release();
          },
          new Recovery(survives ? openDevice : undefined, options.onDeviceLost),
          (device) => reloadModel(device, source, trunkOnly, { config, mark }),
        );
      } catch (error) {
        release();
        throw error;
      }
    } finally {
      if (file !== source) await file.close();
    }
  }

  /** Puts a model that is there already to solving; it stays the caller's. */
  static of(model: HrmModel, task = taskOf(model.config)): HRM {
    return new HRM(model, task, () => {}, new Recovery(undefined, undefined));
  }

  get config(): ModelConfig {
    return this.model.config;
  }

  /**
   * Thinks about a grid, or about several at once. A grid is done as soon as the model would halt (q_halt exceeds
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
    const puzzles = grids.map((grid, i) => {
      const place = isGrid(given) ? 'the grid' : `grid ${i}`;
      return { index: i, grid, inputs: encodeGrid(this.task, this.config, grid, place) };
    });
    const settings = checkedSettings(options, this.config);
    const rows = Math.max(1, Math.min(puzzles.length, settings.batchSize));
    const before = this.turn;
    let done = () => {};
    this.turn = new Promise((resolve) => {
      done = resolve;
    });
    try {
      await before;
      if (CHECK_FIRST || this.verification) await this.survive(() => this.verify(rows), settings);
      const solutions: Solution[] = [];
      for (let from = 0; from < puzzles.length; from += settings.batchSize) {
        const batch = puzzles.slice(from, from + settings.batchSize);
        const told = { segments: 0 };
        solutions.push(...(await this.survive(() => this.solveBatch(batch, settings, told), settings)));
      }
      this.verify(rows).catch(() => {}); // the next call tells what is wrong
      return isGrid(given) ? solutions[0] : solutions;
    } finally {
      done();
    }
  }

  /** Frees everything that {@link load} made. Calling it again does nothing. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.dropInference();
    this.release();
  }

  /** For `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Checks the kernels, once; what was recorded with one that turned out wrong is dropped. */
  private verify(rows: number): Promise<void> {
    const { device } = this.model;
    const known = device.unfit.size;
    const check = async () => {
      try {
        await verifyKernels(this.model, (model) => recordInference(model, rows));
      } catch (error) {
        if (await device.lossBehind(error)) this.verification = undefined; // on another device it is done again
        throw error;
      }
      this.verified = true;
      if (device.unfit.size > known) this.dropInference();
    };
    this.verification ??= check();
    return this.verification;
  }

  private dropInference(): void {
    this.inference?.of.dispose();
    this.inference = undefined;
  }

  /** Does `body` again from its beginning when the device was lost meanwhile, with the weights on another. */
  private async survive<T>(body: () => Promise<T>, { signal }: Settings): Promise<T> {
    while (true) {
      try {
        return await body();
      } catch (error) {
        if (this.disposed || signal?.aborted) throw error;
        await this.recovery.recover(error, this.model.device, (device) => this.moveTo(device));
      }
    }
  }

  private async moveTo(device: Device): Promise<void> {
    const model = await (this.reload as NonNullable<typeof this.reload>)(device);
    this.checkAlive();
    this.dropInference();
    this.release();
    this.current = model;
    this.release = () => device.close();
  }

  /** @param told how many segments of these puzzles were told to `onSegment`, before a loss */
  private async solveBatch(
    puzzles: readonly Puzzle[],
    settings: Settings,
    told: { segments: number },
  ): Promise<Solution[]> {
    const { maxSteps, halt, onSegment, signal } = settings;
    this.start(puzzles, settings.puzzleIdentifier);
    const solutions: (Solution | undefined)[] = puzzles.map(() => undefined);
    for (let segment = 1; segment <= maxSteps; segment++) {
      const answers = await this.segment(signal);
      const news = segment > told.segments;
      if (news) {
        told.segments = segment;
        this.recovery.progress();
      }
      puzzles.forEach(({ index, grid }, row) => {
        if (solutions[row]) return;
        const answer = answers(row, grid);
        const halted = answer.qHalt > answer.qContinue;
        if (segment === maxSteps || (halt && halted))
          solutions[row] = { ...answer, segments: segment, halted, verified: this.verified };
        if (news) onSegment?.({ ...answer, index, segment });
      });
      if (solutions.every((solution) => solution !== undefined)) break;
    }
    return solutions as Solution[];
  }

  /** Puts puzzles into the rows of a batch. */
  private start(puzzles: readonly Puzzle[], puzzleIdentifier: number): void {
    this.checkAlive();
    const batch = puzzles.length;
    if (this.inference?.batch !== batch) {
      this.dropInference();
      this.inference = { of: new Inference(this.model, batch, NEVER), batch };
    }
    const { seq_len } = this.config;
    const inputs = new Int32Array(batch * seq_len);
    puzzles.forEach((puzzle, row) => {
      inputs.set(puzzle.inputs, row * seq_len);
    });
    this.inference.of.start({
      inputs,
      labels: new Int32Array(batch * seq_len).fill(IGNORED_LABEL),
      puzzleIdentifiers: new Int32Array(batch).fill(puzzleIdentifier),
      rows: batch,
    });
  }

  /** Runs one segment; returns what reads its answers. */
  private async segment(signal: AbortSignal | undefined): Promise<(row: number, asked: Grid) => GridAnswer> {
    this.checkAlive();
    signal?.throwIfAborted();
    const inference = (this.inference as { of: Inference }).of;
    inference.segment();
    const { prediction, q } = inference.output;
    const [tokens, qs] = await Promise.all([prediction.read(), q.readF32()]).catch((error) => {
      this.checkAlive();
      throw error;
    });
    this.checkAlive();
    signal?.throwIfAborted();
    const { seq_len } = this.config;
    return (row, asked) => {
      const own = tokens.slice(row * seq_len, (row + 1) * seq_len) as Int32Array;
      const [qHalt, qContinue] = qs.subarray(2 * row);
      return { grid: decodeGrid(this.task, own, asked), tokens: own, qHalt, qContinue };
    };
  }

  private checkAlive(): void {
    if (this.disposed) throw new UserError('this model has been disposed of: load it again');
  }
}

interface Puzzle {
  index: number;
  grid: Grid;
  inputs: Int32Array;
}

/** A grid, as opposed to a list of grids. */
function isGrid(value: Grid | readonly Grid[]): value is Grid {
  if (value instanceof Int32Array) return true;
  const [first] = value;
  return !(first instanceof Int32Array) && Array.isArray(first) && !Array.isArray(first[0]);
}
