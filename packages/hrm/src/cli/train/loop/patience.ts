/** Writing what a run cannot do without, to disks that may be full for a while. */
import { setTimeout as wait } from 'node:timers/promises';
import { UserError } from '@hrm-webgpu/core';
import { say } from '../../terminal.ts';
import { hasCheckpoint } from './run-checkpoints.ts';

/** Where somebody can make room, or a network comes back; after the last the run ends. */
const RETRY_AFTER_MS: readonly number[] = [5_000, 15_000, 30_000, 60_000];
/** Failures of the place, which may pass. */
const MAY_PASS = new Set(['ENOSPC', 'EDQUOT', 'EIO', 'EAGAIN', 'ETIMEDOUT', 'ESTALE']);

/**
 * Writes something to a run's folder; where that fails and may not always, it says so and tries again for two minutes.
 *
 * @param onTrouble called when it has failed and will be tried again
 * @throws UserError when it still fails, or always would
 */
export async function patiently(
  folder: string,
  write: () => Promise<void>,
  onTrouble: () => void = () => {},
): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await write();
    } catch (error) {
      if (!mayPass(error)) throw error;
      if (attempt === RETRY_AFTER_MS.length) throw withAdvice(error as UserError, folder);
      onTrouble();
      const seconds = RETRY_AFTER_MS[attempt] / 1000;
      say(`\n${(error as UserError).message} Training waits; trying again in ${seconds} s…`);
      await wait(RETRY_AFTER_MS[attempt]);
    }
  }
}

const mayPass = (error: unknown) =>
  error instanceof UserError && MAY_PASS.has(String((error.cause as NodeJS.ErrnoException)?.code));

function withAdvice({ message, cause }: UserError, folder: string): UserError {
  const advice = hasCheckpoint(folder)
    ? `The checkpoint before is whole: go on with hrm train --out ${folder} --resume`
    : 'Nothing had been saved; make room, and start the run again';
  return new UserError(`${message} ${advice}`, { cause });
}
