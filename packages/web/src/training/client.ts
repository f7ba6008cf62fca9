/** The page's side of the worker that trains; it lives as long as the page, whatever view is shown. */
import type { Remote } from 'comlink';
import { startWorker } from '../workers/start.ts';
import type { Snapshot } from './api.ts';
import type { Settings } from './settings.ts';
import type { Training } from './training.ts';

/** How long one submit may keep the GPU busy, in milliseconds: with somebody looking, frames come in between. */
const SUBMIT_MS = { seen: 20, hidden: 100 };

export class TrainerClient {
  snapshot: Snapshot = { phase: 'looking', losses: 0 };
  /** Share of the time that it computes. */
  share = 1;
  goesOnHidden = true;
  private remote: Remote<Training> | undefined;
  private readonly listeners = new Set<() => void>();
  private pausedByHiding = false;

  constructor() {
    document.addEventListener('visibilitychange', () => this.followVisibility());
    addEventListener('pagehide', () => this.save());
  }

  /** @returns what ends it */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Looks for a saved run. */
  look(): void {
    if (!this.remote) this.worker().look();
  }

  start(settings: Settings): void {
    this.worker().start(settings);
  }

  resume(): void {
    this.worker().resume();
  }

  pause(): void {
    this.pausedByHiding = false;
    this.remote?.pause();
  }

  goOn(): void {
    this.remote?.goOn();
  }

  checkpoint(): Promise<{ checkpoint: Blob; step: number }> {
    return this.worker().checkpoint();
  }

  setShare(share: number): void {
    this.share = share;
    this.sendEffort();
    this.changed();
  }

  setGoesOnHidden(goesOn: boolean): void {
    this.goesOnHidden = goesOn;
    this.changed();
  }

  /** The worker, from when it is needed for the first time. */
  private worker(): Remote<Training> {
    if (this.remote) return this.remote;
    const { worker, remote } = startWorker<Training>('train');
    worker.addEventListener('message', ({ data }) => {
      if (!data?.snapshot) return;
      this.snapshot = data.snapshot;
      this.changed();
    });
    this.remote = remote;
    this.sendEffort();
    return this.remote;
  }

  private sendEffort(): void {
    const submitMs = document.hidden ? SUBMIT_MS.hidden : SUBMIT_MS.seen;
    this.remote?.setEffort({ share: this.share, submitMs });
  }

  private followVisibility(): void {
    this.sendEffort();
    const { phase } = this.snapshot;
    if (document.hidden) {
      // A tab that is hidden may be closed without a word.
      this.save();
      if (this.goesOnHidden || (phase !== 'running' && phase !== 'preparing')) return;
      this.remote?.pause();
      this.pausedByHiding = true;
    } else if (this.pausedByHiding) {
      this.pausedByHiding = false;
      this.remote?.goOn();
    }
  }

  /** Whatever stands in the way stops the run too, which says so. */
  private save(): void {
    this.remote?.save().catch(() => {});
  }

  private changed(): void {
    for (const listener of this.listeners) listener();
  }
}
