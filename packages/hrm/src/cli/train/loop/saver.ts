/** Saves a run while it goes on. */
import { encodeTraining } from '../../../training/checkpoint.ts';
import type { Trainer } from '../../../training/trainer.ts';
import type { RunLog } from './logs/run-log.ts';
import { patiently } from './patience.ts';
import { writeCheckpoint } from './run-checkpoints.ts';
import type { RunNotes } from './run-notes.ts';

export interface SaverOptions {
  trainer: Trainer;
  folder: string;
  log: Pick<RunLog, 'sync'>;
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
    const { trainer, folder, log } = this.options;
    let step = 0;
    const chunks = await trainer.atStep(() => {
      step = trainer.step;
      return encodeTraining(trainer, { ...notes });
    });
    const write = async () => {
      await log.sync(); // whoever goes on from a checkpoint does none of its steps again, so the log must have them
      await writeCheckpoint(folder, step, chunks, notes.keep);
    };
    await patiently(folder, write, () => {
      this.troubled = true;
    });
    this.troubled = false;
  }
}
