import { hostname } from 'node:os';
import { join } from 'node:path';
import { scalarsRecord, startRecord, versionRecord } from '../../../../formats/tensorboard.ts';
import { PatientFile } from './patient-file.ts';

/**
 * The figures of a run for TensorBoard: an event file for each session, in the run's folder; tags are `train/lm_loss`,
 * `test/exact_accuracy` (by the split), as the log names them.
 */
export class EventLog {
  private readonly file: PatientFile;

  /** For a session that goes on from `step`. */
  constructor(folder: string, step: number) {
    const time = Date.now();
    const name = `events.out.tfevents.${Math.floor(time / 1000)}.${hostname()}.${process.pid}`;
    this.file = new PatientFile(join(folder, name));
    this.file.append(versionRecord({ time, step }));
    if (step > 0) this.file.append(startRecord({ time, step: step + 1 }));
  }

  /** @param figures what is no finite number among them is left out */
  add(group: string, step: number, time: number, figures: Readonly<Record<string, unknown>>): void {
    const scalars = Object.entries(figures)
      .filter((entry): entry is [string, number] => Number.isFinite(entry[1]))
      .map(([name, value]) => [`${group}/${name}`, value]);
    this.file.append(scalarsRecord({ time, step }, Object.fromEntries(scalars)));
  }

  /** @throws UserError as {@link PatientFile.sync} */
  sync(): Promise<void> {
    return this.file.sync();
  }

  close(): void {
    this.file.close();
  }
}
