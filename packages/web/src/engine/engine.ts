/** The GPU work of the page, in a worker: nothing here knows what the page looks like. */

import { adapterName } from '@hrm-webgpu/core';
import { type Device, DeviceLostError, HRM, openDevice, recordInference, verifyKernels } from 'hrm-webgpu';
import { batchOf, distances, initialState, observe } from 'hrm-webgpu/inside';
import { decodeGrid, encodeGrid, verdictOn } from 'hrm-webgpu/puzzles';
import type {
  Frame,
  Gpu,
  GuessOutcome,
  GuessRequest,
  GuessShown,
  ModelInfo,
  ModelSource,
  ThinkRequest,
  ToldSegment,
} from './api.ts';

type OnProgress = (bytes: number, total?: number) => void;

/** How often in a row a lost GPU is opened again before the page is told that it stays away. */
const REOPENINGS = 3;

export class Engine {
  private device: Promise<Device> | undefined;
  private model: HRM | undefined;
  private source: ModelSource | undefined;
  private work: AbortController | undefined;
  private loading: AbortController | undefined;
  /** Settles when what was asked for last has come to its end. */
  private last: Promise<unknown> = Promise.resolve();
  /** Whether the kernels that this model needs have been compared with float64. */
  private verified = false;

  /** @param onLost told when the GPU was lost and is opened again */
  constructor(private readonly onLost: () => void = () => {}) {}

  async gpu(): Promise<Gpu> {
    try {
      const device = await this.opened();
      return { name: adapterName(device), software: device.adapter.class === 'software' };
    } catch (error) {
      return { missing: messageOf(error) };
    }
  }

  /** Loads weights in the place of those that were there. What was under way, or being loaded, is stopped. */
  load(source: ModelSource, onProgress: OnProgress): Promise<ModelInfo> {
    this.stop();
    this.loading?.abort();
    this.loading = new AbortController();
    const { signal } = this.loading;
    return this.inTurn(signal, () => {
      this.source = source;
      return this.reload({ onProgress, signal });
    });
  }

  /** Thinks about a puzzle; each segment is told when it is done. What was under way is stopped. */
  think(request: ThinkRequest, onSegment: (segment: ToldSegment) => void): Promise<void> {
    const signal = this.begin();
    let told = 0;
    return this.inTurn(signal, async () => {
      await this.surviving(signal, async (model) => {
        for await (const segment of segmentsOf(model, request, signal)) {
          if (segment.segment <= told) continue; // before the GPU was lost
          told = segment.segment;
          onSegment(segment);
        }
      });
      await this.verify(signal);
    });
  }

  /** Makes guesses and chooses one without labels. */
  async guess(request: GuessRequest, onGuess: (guess: GuessShown) => void): Promise<GuessOutcome> {
    const signal = this.begin();
    const { grid, segments: maxSteps, guesses, noise, seed, select } = request;
    const {
      rule,
      guess,
      guesses: made,
    } = await this.inTurn(signal, () =>
      this.surviving(signal, (model) =>
        model.solve(grid, {
          ...{ maxSteps, guesses, noise, seed, select, signal },
          onGuess: (one) => onGuess(shown(one)),
        }),
      ),
    );
    return { winner: guess, rule, guesses: made.map(shown) };
  }

  /** Stops what is under way, between two segments. */
  stop(): void {
    this.work?.abort();
  }

  /** Frees the GPU. */
  async close(): Promise<void> {
    this.stop();
    this.loading?.abort();
    await this.last;
    this.model?.dispose();
    (await this.device)?.close();
  }

  /** Does something when all before it has come to its end: no weights are taken away from under a thought. */
  private inTurn<T>(signal: AbortSignal, body: () => Promise<T>): Promise<T> {
    const done = this.last.then(() => {
      signal.throwIfAborted();
      return body();
    });
    this.last = done.catch(() => this.leaveBroken()); // who asked is told
    return done;
  }

  /** A device that something went wrong on, as one that had no memory left, is of no use for what comes next. */
  private async leaveBroken(): Promise<void> {
    const device = await this.device?.catch(() => undefined);
    try {
      device?.check();
    } catch {
      this.model?.dispose();
      this.model = undefined;
      this.device = undefined;
      device?.close();
    }
  }

  private begin(): AbortSignal {
    this.stop();
    this.work = new AbortController();
    return this.work.signal;
  }

  private opened(): Promise<Device> {
    this.device ??= openDevice().catch((error) => {
      this.device = undefined; // another try may find a GPU
      throw error;
    });
    return this.device;
  }

  private async reload(told: { onProgress?: OnProgress; signal?: AbortSignal } = {}): Promise<ModelInfo> {
    const { source } = this;
    if (!source) throw new Error('no model has been loaded');
    this.model?.dispose();
    this.model = undefined;
    this.verified = false;
    const device = await this.opened();
    const options = { device, ...told };
    this.model =
      'url' in source
        ? await HRM.load(source.url, options)
        : await HRM.load(new File([source.file], source.name), {
            ...options,
            config: source.config,
            trunkOnly: source.trunkOnly,
          });
    return infoOf(this.model);
  }

  /** Does something with the model, again from its beginning where the GPU is lost meanwhile. */
  private async surviving<T>(signal: AbortSignal, body: (model: HRM) => Promise<T>): Promise<T> {
    for (let losses = 0; ; losses++) {
      try {
        if (!this.model) await this.reload();
        signal.throwIfAborted();
        return await body(this.model as HRM);
      } catch (error) {
        const lost = error instanceof DeviceLostError || (await (await this.device)?.lossBehind(error));
        if (!lost || losses === REOPENINGS) throw error;
        this.onLost();
        this.model = undefined; // its memory went with the device
        this.device = undefined;
      }
    }
  }

  /** After the first answer, which does not wait for it. */
  private async verify(signal: AbortSignal): Promise<void> {
    if (this.verified || !this.model) return;
    await verifyKernels(this.model.model, (model) => recordInference(model, 1), signal);
    this.verified = true;
  }
}

async function* segmentsOf(
  hrm: HRM,
  { grid, segments, everyStep }: ThinkRequest,
  signal: AbortSignal,
): AsyncGenerator<ToldSegment> {
  const { model, task, config } = hrm;
  const batch = batchOf(config, task, [grid]);
  const input = encodeGrid(task, config, grid, 'the puzzle');
  const show = (tokens: Int32Array) => decodeGrid(task, tokens, grid);
  const before = { H: await initialState(model, 'H'), L: await initialState(model, 'L') };
  let segment = 0;
  let start = performance.now();
  for await (const observed of observe(model, batch, {
    segments,
    answers: everyStep,
    confidences: true,
    signal,
  })) {
    segment++;
    const frames: Frame[] = [];
    let step = 0;
    const steps = observed.steps.map(({ level, state, answer }) => {
      if (level === 'L') step++;
      // After the last step it is what the segment ends with.
      if (answer && step < config.H_cycles * config.L_cycles)
        frames.push({ segment, step, last: false, grid: show(answer) });
      const residual = distances(before[level], state, 1)[0];
      before[level] = state;
      return { level, residual };
    });
    const states = observed.steps.map(({ state }) => state);
    // Who is told the states may take them away.
    for (const level of ['H', 'L'] as const) before[level] = before[level].slice();
    const answer = show(observed.prediction);
    frames.push({ segment, step, last: true, grid: answer });
    yield {
      ...{ segment, frames, steps, states, grid: answer },
      confidence: observed.confidence as Float32Array,
      qHalt: observed.q[0],
      qContinue: config.no_continue ? 0 : observed.q[1],
      ms: performance.now() - start,
      proven: verdictOn({ task, input, prediction: observed.prediction, answer })?.valid,
    };
    start = performance.now();
  }
}

function shown({ guess, grid, segments, qHalt, qContinue, proven, symmetry }: GuessShown): GuessShown {
  return { guess, grid, segments, qHalt, qContinue, proven, symmetry };
}

function infoOf({ model, task, config }: HRM): ModelInfo {
  const { seq_len, vocab_size, halt_max_steps, H_cycles, L_cycles, hidden_size } = config;
  const sizes = [...model.weights.values()].map(({ shape }) => shape.reduce((a, b) => a * b, 1));
  return {
    task,
    seqLen: seq_len,
    vocabSize: vocab_size,
    parameters: sizes.reduce((a, b) => a + b, 0),
    maxSteps: halt_max_steps,
    cycles: { H: H_cycles, L: L_cycles },
    hiddenSize: hidden_size,
  };
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
