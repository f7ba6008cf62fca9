import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RUN_FILES } from '../../../checkpoints/model-file.node.ts';
import { environmentOf } from '../../../environment/environment.node.ts';
import { fileError } from '../../../formats/files/file-error.node.ts';
import type { Trainer } from '../../../training/trainer.ts';

/**
 * Notes in `sessions.jsonl` when, from which step and with what a run is begun or gone on with, and what was changed.
 *
 * @param changes settings by their published keys
 * @throws UserError when it cannot be written
 */
export function noteSession(
  folder: string,
  trainer: Trainer,
  changes: Readonly<Record<string, unknown>>,
): void {
  const { device } = trainer.model;
  const path = join(folder, RUN_FILES.sessions);
  const session = {
    time: new Date().toISOString(),
    step: trainer.step,
    totalSteps: trainer.options.totalSteps,
    changes,
    environment: environmentOf(device),
    tuning: Object.fromEntries(device.tuning),
  };
  try {
    // A process that was killed amid a line left it without an end.
    const isCut = existsSync(path) && !/^$|\n$/.test(readFileSync(path, 'utf8'));
    appendFileSync(path, `${isCut ? '\n' : ''}${JSON.stringify(session)}\n`);
  } catch (cause) {
    throw fileError('cannot write', path, cause);
  }
}
