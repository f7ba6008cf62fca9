/** Saves a run while it goes on. */
import { setTimeout as wait } from 'node:timers/promises';
import { UserError } from '@hrm-webgpu/core';
import { encodeTraining } from '../../../training/checkpoint.ts';
import type { Trainer } from '../../../training/trainer.ts';
import { say } from '../../terminal.ts';
import { writeCheckpoint } from './run-checkpoints.ts';
import type { RunNotes } from './run-notes.ts';

/** Where somebody can make room, or a network comes back; after the last the run ends. */
const RETRY_AFTER_MS: readonly number[] = [5_000, 15_000, 30_000, 60_000];
/** Failures of the place, which may pass. */
const MAY_PASS = new Set(['ENOSPC', 'EDQUOT', 'EIO', 'EAGAIN', 'ETIMEDOUT', 'ESTALE']);

export interface SaverOptions {
  trainer: Trainer;
  folder: string;
  /** Tells why training waits, once it does. */
  onTrouble?: (message: string) => void;
  retryAfterMs?: readonly number[];
}

/**
 * Writes checkpoints, one at a time. The state is copied in the moment that a save begins; encoding and writing go on beside the steps
 * that follow.
 */
export class Saver {
  private saving: Promise<void> = Promise.resolve();
  private failure: unknown;
  private troubled = false;
  private saved: { step: number; at: number };

  constructor(private readonly options: SaverOptions) {
    this.saved = { step: options.trainer.step, at: performance.now() };
  }

  /** Whether training has to wait: there is no room for the state, and more steps would be lost with these. */
  get mustWait(): boolean {
    return this.troubled;
  }

  /** Whether so much has passed since the last save. */
  isDue({ saveEvery: { steps, seconds } }: Pick<RunNotes, 'saveEvery'>): boolean {
    const { step, at } = this.saved;
    if (steps !== null) return this.options.trainer.step - step >= steps;
    return performance.now() - at >= 1000 * (seconds as number);
  }

  /**
   * Begins to save what is after the last step, when the save before it is done.
   *
   * @throws UserError when that one could not be written
   */
  async save(notes: RunNotes): Promise<void> {
    await this.done();
    const { trainer } = this.options;
    this.saved = { step: trainer.step, at: performance.now() };
    this.saving = this.write(structuredClone(notes)).catch((error) => {
      this.failure = error;
      this.troubled = true;
    });
  }

  /**
   * Resolves when everything that was begun is on the disk.
   *
   * @throws UserError when it could not be written
   */
  async done(): Promise<void> {
    await this.saving;
    if (this.failure) throw this.failure;
  }

  private async write(notes: RunNotes): Promise<void> {
    const { trainer, folder, retryAfterMs = RETRY_AFTER_MS } = this.options;
    let step = 0;
    const chunks = await trainer.atStep(() => {
      step = trainer.step;
      return encodeTraining(trainer, { ...notes });
    });
    for (let attempt = 0; ; attempt++) {
      try {
        await writeCheckpoint(folder, step, chunks, notes.keep);
        this.troubled = false;
        return;
      } catch (error) {
        if (!mayPass(error)) throw error;
        if (attempt === retryAfterMs.length) throw withAdvice(error as UserError, folder);
        this.troubled = true;
        const seconds = retryAfterMs[attempt] / 1000;
        say(`\n${(error as UserError).message} Training waits; trying again in ${seconds} s…`);
        await wait(retryAfterMs[attempt]);
      }
    }
  }
}

const mayPass = (error: unknown) =>
  error instanceof UserError && MAY_PASS.has(String((error.cause as NodeJS.ErrnoException)?.code));

function withAdvice(error: UserError, folder: string): UserError {
  return new UserError(
    `${error.message} The checkpoint before is whole: go on with hrm train --out ${folder} --resume`,
    { cause: error.cause },
  );
}
