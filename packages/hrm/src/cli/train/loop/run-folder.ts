/** The folder of a run: who may write there, and what. */
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UserError } from '@hrm-webgpu/core';
import { RUN_FILES, SNAPSHOTS } from '../../../checkpoints/model-file.node.ts';
import { TEMPORARY } from '../../../formats/files/atomic-write.node.ts';
import { Lock } from '../../../formats/files/lock.node.ts';
import { makeFolder } from '../../../formats/files/make-folder.node.ts';
import { RUN_LOCK } from '../../../runs/run-folder.node.ts';
import { NUMBERED } from './run-checkpoints.ts';

/** What a run writes. */
const OWN: readonly string[] = [...Object.values(RUN_FILES), SNAPSHOTS];
/** What a run has written before its first checkpoint. */
const BEFORE_ITS_FIRST: readonly string[] = [
  RUN_FILES.config,
  RUN_FILES.log,
  RUN_FILES.sessions,
  RUN_FILES.samples,
];

/** @throws UserError where another process trains, a new run would write over something, or there can be no folder */
export function expectRoom(folder: string): void {
  if (!existsSync(folder)) return;
  if (!statSync(folder).isDirectory()) {
    throw new UserError(`${folder} is a file, not a folder; give another folder with --out`);
  }
  Lock.expectFree(join(folder, RUN_LOCK), `the run in ${folder}`);
  const names = readdirSync(folder);
  const taken = names.filter((name) => OWN.includes(name) || NUMBERED.test(name));
  const isRun = names.includes(RUN_FILES.sessions);
  // Of a run that ended before its first checkpoint nothing is lost.
  const worth = taken.find((name) => !isRun || !BEFORE_ITS_FIRST.includes(name));
  if (worth === undefined) return;
  throw new UserError(
    isRun
      ? `${folder} holds a run already (${worth}); go on with --resume, or give another folder with --out`
      : `${folder} holds ${worth}, which a run there would write over; give another folder with --out`,
  );
}

/**
 * Makes the folder of a run where there is none, and keeps other processes out of it until the lock is released. What a process
 * left unfinished there that was killed is removed.
 *
 * @throws UserError when another process trains there
 */
export function lockRun(folder: string): Lock {
  const path = resolve(folder);
  makeFolder(path);
  const lock = Lock.take(join(path, RUN_LOCK), `the run in ${folder}`);
  for (const name of readdirSync(path)) if (TEMPORARY.test(name)) rmSync(join(path, name), { force: true });
  return lock;
}
