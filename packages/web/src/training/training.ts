/** Training in a worker: what may happen when, and what the page is told. Nothing here knows what the page looks like. */
import { UserError } from 'hrm-webgpu';
import type { Effort, Phase, RunShown, Snapshot } from './api.ts';
import { emptyHistory } from './history.ts';
import { Run } from './run.ts';
import { openRunFile } from './run-file.ts';
import { RunLock } from './run-lock.ts';
import { DamagedRun, readRun, saveRun } from './saved-run.ts';
import type { Settings } from './settings.ts';

/** The page is told this often of steps. */
const TELL_EVERY_MS = 250;

/** What a crash may cost. */
const SAVE_EVERY_MS = 20_000;

export class Training {
  private readonly lock = new RunLock();
  private snapshot: Snapshot = { phase: 'looking', losses: 0 };
  private toldAt = 0;
  private run: Run | undefined;
  private effort: Effort = { share: 1, submitMs: 20 };
  /** Whether the run should move on as soon as it can. */
  private wanted = false;
  /** Stops the loop; undefined where none runs. */
  private stopping: AbortController | undefined;
  private looping: Promise<void> = Promise.resolve();
  /** What uses the run goes one after the other. */
  private turn: Promise<unknown> = Promise.resolve();
  private saved = { step: -1, at: 0 };

  /** @param tell hears of everything that the page shows */
  constructor(private readonly tell: (snapshot: Snapshot) => void) {}

  /** Looks for a saved run, and waits for it where another tab has it. */
  async look(): Promise<void> {
    if (this.run) return;
    if (await this.lock.takenElsewhere()) {
      this.show({ phase: 'elsewhere', run: undefined });
      await this.lock.free();
    }
    await this.showSaved();
  }

  start(settings: Settings): Promise<void> {
    const shown = { settings, step: 0, history: emptyHistory(settings.steps) };
    return this.begin(shown, async () => ({ run: await Run.start(settings, this.runOptions) }));
  }

  /** Goes on with the saved run. */
  resume(): Promise<void> {
    return this.begin(this.snapshot.run, async () => {
      const blob = await readRun();
      if (!blob) throw new Error('There is no saved run any more: start a new one.');
      const { run, note } = await Run.resume(blob, this.runOptions);
      this.saved = { step: run.step, at: performance.now() };
      return { run, note };
    });
  }

  /** Resolves when the run stands still and is saved. */
  async pause(): Promise<void> {
    this.wanted = false;
    if (!this.stopping) return;
    this.show({ phase: 'pausing' });
    this.stopping.abort();
    this.stopping = undefined;
    await this.looping;
  }

  goOn(): void {
    this.wanted = true;
    const { run } = this;
    if (!run || this.stopping) return;
    const stopping = new AbortController();
    this.stopping = stopping;
    this.looping = this.looping.then(() => this.loop(run, stopping.signal));
  }

  setEffort(effort: Effort): void {
    this.effort = effort;
  }

  /** The run as a file, between two steps. */
  checkpoint(): Promise<{ checkpoint: Blob; step: number }> {
    return this.inTurn(async () => {
      const { run } = this;
      if (!run) throw new Error('there is no run');
      await run.settle();
      const chunks = (await run.encode()) as Uint8Array<ArrayBuffer>[];
      return { checkpoint: new Blob(chunks), step: run.step };
    });
  }

  /** Saves the run between two steps, if there is anything new. A browser that cannot is told of, and is no failure. */
  save(): Promise<void> {
    return this.inTurn(async () => {
      const { run } = this;
      if (!run || this.saved.step === run.step) return;
      await run.settle();
      const chunks = await run.encode();
      const { step } = run;
      this.saved = { step, at: performance.now() };
      try {
        await saveRun(chunks);
        this.show({ savedStep: step, unsaved: undefined });
      } catch (error) {
        this.show({ unsaved: messageOf(error) });
      }
    });
  }

  private readonly runOptions = {
    submitMs: () => this.effort.submitMs,
    onDeviceLost: () => this.show({ losses: this.snapshot.losses + 1 }),
  };

  private async showSaved(): Promise<void> {
    try {
      const blob = await readRun();
      const run = blob && (await openRunFile(blob)).shown;
      this.show({ phase: 'idle', run });
    } catch (error) {
      const ofTheRun = error instanceof UserError || error instanceof DamagedRun;
      const told = ofTheRun
        ? { trouble: this.snapshot.trouble ?? error.message }
        : { unsaved: messageOf(error) };
      this.show({ phase: 'idle', run: undefined, ...told });
    }
  }

  /** Puts a run in the place of the one that is here. */
  private async begin(
    shown: RunShown | undefined,
    make: () => Promise<{ run: Run; note?: string }>,
  ): Promise<void> {
    if (this.snapshot.phase === 'preparing') return; // asked twice
    this.snapshot = { phase: 'preparing', losses: this.snapshot.losses, run: shown };
    this.show({});
    if (!(await this.lock.take())) return this.giveWay();
    this.wanted = true;
    await this.looping;
    await this.inTurn(async () => this.letGo()); // after whoever asked for its checkpoint
    this.saved = { step: -1, at: 0 };
    try {
      const { run, note } = await make();
      this.run = run;
      this.tellOf(run, { phase: 'paused' }, note);
      if (this.wanted) this.goOn();
    } catch (error) {
      await this.fail(error);
    }
  }

  /** Another tab has the run. What this one has made stays here, for as long as there is a use for it. */
  private async giveWay(): Promise<void> {
    if (!this.run) return this.look();
    this.tellOf(this.run, { phase: 'finished' });
    this.show({ trouble: 'Another tab of this browser trains now: wait until it is done, or close it.' });
  }

  private async loop(run: Run, signal: AbortSignal): Promise<void> {
    this.tellOf(run, { phase: 'running' });
    run.begin();
    try {
      while (!signal.aborted && !run.finished) {
        const start = performance.now();
        await this.inTurn(() => this.moveOn(run, signal));
        if (performance.now() - this.saved.at > SAVE_EVERY_MS) await this.save();
        const { share } = this.effort;
        await rest(share < 1 ? (performance.now() - start) * (1 / share - 1) : 0, signal);
      }
      await this.inTurn(() => run.settle());
      await this.save();
      if (run.finished) this.lock.drop();
      if (run.finished) this.stopping = undefined;
      this.tellOf(run, { phase: run.finished ? 'finished' : 'paused' });
    } catch (error) {
      await this.fail(error);
    }
  }

  /** The next step or evaluation. */
  private async moveOn(run: Run, signal: AbortSignal): Promise<void> {
    if (!run.evaluationDue) {
      await run.advance();
      // How long a step takes is known when it is waited for.
      if (this.effort.share < 1) await run.settle();
      if (performance.now() - this.toldAt > TELL_EVERY_MS) this.tellOf(run, {});
      return;
    }
    await run.settle();
    this.tellOf(run, { evaluating: true });
    try {
      await run.evaluate(signal);
    } catch (error) {
      if (!signal.aborted) throw error; // it is made up for when the run goes on
    }
    this.tellOf(run, { evaluating: false });
  }

  /** The run cannot go on; what was saved can. */
  private async fail(error: unknown): Promise<void> {
    this.stopping = undefined;
    this.letGo();
    this.lock.drop();
    this.show({
      trouble: messageOf(error),
      evaluating: false,
      stepsPerSecond: undefined,
      secondsLeft: undefined,
    });
    await this.showSaved();
  }

  private letGo(): void {
    this.run?.dispose();
    this.run = undefined;
  }

  private inTurn<T>(body: () => Promise<T>): Promise<T> {
    const done = this.turn.then(body);
    this.turn = done.catch(() => {});
    return done;
  }

  private tellOf(run: Run, part: { phase?: Phase; evaluating?: boolean }, note = this.snapshot.note): void {
    const { shown, stepsPerSecond, secondsLeft } = run;
    this.show({ run: shown, stepsPerSecond, secondsLeft, note, ...part });
  }

  private show(part: Partial<Snapshot>): void {
    this.snapshot = { ...this.snapshot, ...part };
    this.toldAt = performance.now();
    this.tell(this.snapshot);
  }
}

/** Lets messages through, and then the GPU rest; ends early when the run is to stop. */
function rest(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (ms <= 0) {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        port1.close();
        resolve();
      };
      port2.postMessage(undefined);
      return;
    }
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done);
  });
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
